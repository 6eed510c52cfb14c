//! What is written is read back, and what cannot be read is told by its line.

use std::io::{self, BufReader, Read};

use jiff::Timestamp;
use waybill_domain::{Body, Kind, RecordId, RecordKey, Revision, product::Product, stock::StockLevel};
use waybill_testkit::records::{order, snapshot};

use super::{By, Day, FORMAT, Line, ReadError, RecordedDecision, Settled, read, write};
use crate::decide::{CustomerTotals, DeliveryFacts, Facts, ReceiptFact, ReceiptState};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn day() -> Line {
    Line::Day(Day { format: FORMAT, from: at(0), to: at(86_400), waybill: "0.1.0".to_owned(), pseudonyms: false })
}

fn decision() -> RecordedDecision {
    RecordedDecision {
        system: "erp".parse().unwrap(),
        key: RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: RecordId::from(1001) },
        revision: Revision { epoch: 7, number: 3 },
        settlement: 2,
        decided_at: at(3600),
        state: Settled::Parked,
        code: "unmapped".to_owned(),
        field: "lines.0.item".to_owned(),
        message: "no such key".to_owned(),
        by: By::Plan,
        plan_hash: "abc".to_owned(),
        document_hash: String::new(),
        delivery: DeliveryFacts { applied_once: true, ..DeliveryFacts::default() },
        facts: Some(Facts {
            receipts: [(
                "books".parse().unwrap(),
                ReceiptFact { state: ReceiptState::Applied, said_of: None, applied: None },
            )]
            .into(),
            totals: Some(CustomerTotals { orders: 2, spent: "48.00".parse().unwrap(), last_order_at: Some(at(1)) }),
            on_the_way: 4,
            ..Facts::default()
        }),
    }
}

fn text(lines: &[Line]) -> String {
    let mut out = Vec::new();
    for line in lines {
        write(&mut out, line).unwrap();
    }
    String::from_utf8(out).unwrap()
}

fn all(text: &str) -> Vec<Result<Line, ReadError>> {
    read(text.as_bytes()).collect()
}

#[track_caller]
fn must_refuse(text: &str, expected_line: usize, expected: &str) {
    let error = all(text).into_iter().find_map(Result::err).expect("an error");
    assert_eq!(error.line, expected_line, "{error}");
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn a_day_is_read_as_it_was_written() {
    let sold = order(1001).paid().tax_included().with_line("TEE-M", 2, "24.00").taxed("VAT", "0.20", "8.00");
    let product = Product {
        id: RecordId::from(5),
        title: "Tee \"M\"\n".to_owned(),
        status: "active".to_owned(),
        vendor: "Ü".to_owned(),
        tags: vec!["new".to_owned()],
        variants: Vec::new(),
    };
    let level = StockLevel { sku: "TEE-M".to_owned(), location: "wien".to_owned(), quantity: -3 };
    let mut deleted = order(1002).at_revision(2);
    deleted.body = None;
    let lines = [
        day(),
        Line::Snapshot(Box::new(sold.at_revision(3))),
        Line::Snapshot(Box::new(snapshot(Kind::Product, RecordId::from(5), 1, Body::Product(product)))),
        Line::Snapshot(Box::new(snapshot(Kind::StockLevel, RecordId::from(6), 1, Body::StockLevel(level)))),
        Line::Snapshot(Box::new(deleted)),
        Line::Decision(Box::new(decision())),
        Line::Decision(Box::new(RecordedDecision { by: By::Person, facts: None, ..decision() })),
    ];
    let written = text(&lines);
    assert_eq!(written.lines().count(), lines.len(), "one object a line");
    let read: Vec<Line> = all(&written).into_iter().map(Result::unwrap).collect();
    assert_eq!(read, lines);
}

#[test]
fn the_lines_have_the_names_that_other_programs_read() {
    let read: Vec<serde_json::Value> = text(&[day(), Line::Decision(Box::new(decision()))])
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(read[0]["day"]["format"], 1);
    let decision = &read[1]["decision"];
    assert_eq!((&decision["state"], &decision["by"]), (&"parked".into(), &"plan".into()));
    assert_eq!(decision["facts"]["receipts"]["books"]["state"], "applied");
    assert_eq!(decision["facts"]["totals"]["spent"], "48.00");
}

#[test]
fn facts_of_before_a_field_are_read() {
    let mut value = serde_json::to_value(Line::Decision(Box::new(decision()))).unwrap();
    let facts = value["decision"]["facts"].as_object_mut().unwrap();
    facts.remove("on_the_way").unwrap();
    let Line::Decision(read) = serde_json::from_value(value).unwrap() else { panic!("no decision") };
    assert_eq!(read.facts.unwrap().on_the_way, 0);
}

#[test]
fn what_does_not_begin_with_its_day_is_no_recorded_day() {
    let snapshot = Line::Snapshot(Box::new(order(1).at_revision(1)));
    must_refuse(&text(&[snapshot.clone(), day()]), 1, "its first line has to be {\"day\": …}");
    assert_eq!(all(&text(&[snapshot.clone(), snapshot])).len(), 1, "nothing follows");
    must_refuse("", 1, "the file is empty");
    must_refuse("id,name\n1,x\n", 1, "this is no recorded day");
}

#[test]
fn a_newer_format_names_the_version_that_wrote_it() {
    let newer = r#"{"day":{"format":2,"waybill":"9.1.0","until":"tomorrow"}}"#;
    must_refuse(newer, 1, "format 2, and this version reads 1: use the version that wrote it (9.1.0)");
}

#[test]
fn a_broken_line_is_named_and_the_next_ones_are_read() {
    let good = text(&[Line::Decision(Box::new(decision()))]);
    let written = format!("{}\n{{\"snapshot\": {{\"key\"\n{{\"order\": 1}}\nnot json\n{good}", text(&[day()]));
    let read = all(&written);
    let told: Vec<String> = read.iter().filter_map(|line| line.as_ref().err()).map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("line 3: the line is cut off"), "{}", told[0]);
    assert!(told[1].starts_with("line 4: this is neither a snapshot nor a decision"), "{}", told[1]);
    assert!(told[1].contains("unknown variant `order`"), "{}", told[1]);
    assert!(told[2].starts_with("line 5: the line is no JSON"), "{}", told[2]);
    assert!(matches!(read.last(), Some(Ok(Line::Decision(_)))));
}

#[test]
fn two_days_in_one_file_are_refused() {
    must_refuse(&text(&[day(), day()]), 2, "a second day begins here");
}

#[test]
fn a_file_that_cannot_be_read_on_ends_with_the_reason() {
    struct Torn;
    impl Read for Torn {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let begun = text(&[day()]);
    let told: Vec<_> = read(BufReader::new(begun.as_bytes().chain(Torn))).collect();
    assert_eq!(told.len(), 2);
    assert_eq!(told[1].as_ref().unwrap_err().to_string(), "line 2: cannot be read: the disk is gone");
}
