//! Sales from before us are recognised by a field, and written so far as their state lets us.

use serde_json::{Value as Json, json};
use waybill_connector::{Failure, Known, contract::Delivery};
use waybill_domain::document::{OnMatch, OrderDocument, WritePolicy};

use crate::{
    before_us::{buyer, counts, field, made, matched_by, only_fields, pressed, read, recognised, rule, sale, sale_of},
    bench::Bench,
    documents::{order, order_record, totalled, with_comment},
    on_both,
};

on_both!(
    a_draft_from_before_us_is_written_and_processed,
    a_sale_in_processing_with_the_same_content_gets_our_key_and_nothing_else,
    a_sale_is_found_by_its_number,
    an_address_without_a_name_of_its_own_bears_the_partys,
    a_quotation_that_differs_is_taken_back_and_written,
    a_sale_in_processing_that_differs_is_told_and_found_again_by_its_key,
    several_sales_need_a_person_before_anything_is_made,
    a_rule_that_asks_needs_a_person_before_anything_is_made,
    a_sale_that_a_person_gave_our_key_is_the_orders,
    a_second_sale_is_made_where_the_plan_says_so,
    a_cancelled_sale_counts_only_where_there_is_no_other,
    another_orders_sale_is_not_adopted,
    a_colleagues_return_is_not_adopted,
    one_sale_is_not_adopted_by_two_orders,
    a_kept_field_is_filled_where_it_is_empty_and_never_changed,
    of_an_adopted_sale_only_the_named_fields_are_written,
    only_the_named_fields_of_a_sale_that_a_person_gave_our_key_are_written,
    a_sale_of_our_own_is_written_whole_under_such_a_rule,
    a_sale_that_appears_after_the_look_is_adopted,
    a_sale_that_appears_after_the_look_gets_only_the_named_fields,
    a_cancelled_order_cancels_the_sale_from_before_us,
    a_cancelled_order_leaves_a_sale_of_which_only_fields_are_ours,
    an_unknown_field_of_a_rule_is_named,
    a_sale_has_no_email_to_be_recognised_by,
);

fn ours() -> OrderDocument {
    recognised(order(1))
}

fn with_five_shirts(order: &OrderDocument) -> OrderDocument {
    let mut changed = order.clone();
    changed.lines[0].quantity = 5;
    changed.lines[0].net = rust_decimal::Decimal::from(100);
    changed.lines[0].tax = rust_decimal::Decimal::from(19);
    totalled(changed)
}

fn rejected(outcome: Result<Known, Failure>) -> (String, String, String) {
    match outcome {
        Err(Failure::Rejected { code, field, message }) => (code, field, message),
        other => panic!("not rejected: {other:?}"),
    }
}

async fn seen(bench: &Bench, id: &Json) -> Json {
    read(bench, "sale.sale", id, json!(["reference", "state", "comment", "description", "lines.quantity"])).await
}

fn quantities(sale: &Json) -> Vec<f64> {
    let quantity = |line: &Json| line["quantity"].as_f64().unwrap();
    sale["lines."].as_array().unwrap().iter().map(quantity).collect()
}

/// Books the order and finds that it made neither party nor sale, once and again.
async fn is_adopted(bench: &Bench, order: &OrderDocument, id: &Json) -> Known {
    let before = counts(bench).await;
    let known = bench.book(1, order, Known::new()).await.unwrap();
    let after = counts(bench).await;
    assert_eq!((after[0], after[3]), (before[0], before[3]), "parties and sales");
    assert_eq!(known["order"], id.to_string());
    assert_eq!(seen(bench, id).await["reference"], order.key.as_str());
    for known in [Known::new(), known.clone()] {
        bench.book(1, order, known).await.unwrap();
        assert_eq!(counts(bench).await, after, "a second time makes something");
    }
    known
}

async fn a_draft_from_before_us_is_written_and_processed(bench: &Bench) {
    let id = sale(bench, &with_five_shirts(&order(1)), json!({"reference": "by hand"})).await;
    is_adopted(bench, &ours(), &id).await;
    let sale = seen(bench, &id).await;
    assert_eq!((&sale["state"], &sale["comment"]), (&json!("processing"), &json!("leave at the door")));
    assert_eq!(quantities(&sale), [2.0, 3.0, 1.0]);
}

async fn a_sale_in_processing_with_the_same_content_gets_our_key_and_nothing_else(bench: &Bench) {
    let ours = with_comment(ours(), "by a colleague");
    let id = sale(bench, &ours, json!({})).await;
    pressed(bench, &id, &["quote", "confirm"]).await;
    let before = seen(bench, &id).await;
    let addresses = counts(bench).await[1];
    is_adopted(bench, &ours, &id).await;
    let mut expected = before;
    expected["reference"] = json!(ours.key.as_str());
    assert_eq!(seen(bench, &id).await, expected);
    assert_eq!(counts(bench).await[1], addresses);
}

async fn a_sale_is_found_by_its_number(bench: &Bench) {
    let id = sale(bench, &order(1), json!({"description": null})).await;
    pressed(bench, &id, &["quote"]).await;
    let number = read(bench, "sale.sale", &id, json!(["number"])).await["number"].clone();
    let mut ours = ours();
    ours.policy =
        matched_by(vec![rule(field("description"), &ours.name), rule(field("number"), number.as_str().unwrap())]);
    is_adopted(bench, &ours, &id).await;
    assert_eq!(seen(bench, &id).await["state"], "processing");
}

async fn an_address_without_a_name_of_its_own_bears_the_partys(bench: &Bench) {
    let ours = ours();
    let id = sale(bench, &ours, json!({})).await;
    let sale = read(bench, "sale.sale", &id, json!(["party", "invoice_address", "shipment_address"])).await;
    bench.vendor.model("party.party.write", json!([[sale["party"]], {"name": "Jane Roe"}])).await;
    let addresses = json!([sale["invoice_address"], sale["shipment_address"]]);
    bench.vendor.model("party.address.write", json!([addresses, {"party_name": null}])).await;
    pressed(bench, &id, &["quote", "confirm"]).await;
    let before = counts(bench).await[1];
    is_adopted(bench, &ours, &id).await;
    assert_eq!(counts(bench).await[1], before, "addresses");
}

async fn a_quotation_that_differs_is_taken_back_and_written(bench: &Bench) {
    let id = sale(bench, &with_five_shirts(&order(1)), json!({})).await;
    pressed(bench, &id, &["quote"]).await;
    is_adopted(bench, &ours(), &id).await;
    assert_eq!(quantities(&seen(bench, &id).await), [2.0, 3.0, 1.0]);
}

async fn a_sale_in_processing_that_differs_is_told_and_found_again_by_its_key(bench: &Bench) {
    let id = sale(bench, &with_five_shirts(&order(1)), json!({})).await;
    pressed(bench, &id, &["quote", "confirm"]).await;
    let before = counts(bench).await;
    for _ in 0..2 {
        let (code, field, _) = rejected(bench.book(1, &ours(), Known::new()).await);
        assert_eq!((code.as_str(), field.as_str()), ("not_amendable", "lines.0.quantity"));
    }
    let sale = seen(bench, &id).await;
    assert_eq!((&sale["reference"], &sale["comment"]), (&json!(ours().key.as_str()), &json!("by a colleague")));
    assert_eq!(counts(bench).await[3], before[3]);
}

async fn several_sales_need_a_person_before_anything_is_made(bench: &Bench) {
    let party = buyer(bench, &order(2)).await;
    let first = sale_of(bench, &order(1), &party, json!({})).await;
    let second = sale_of(bench, &order(1), &party, json!({})).await;
    let before = counts(bench).await;
    let (code, field, message) = rejected(bench.book(1, &ours(), Known::new()).await);
    assert_eq!((code.as_str(), field.as_str()), ("several_matches", "description"));
    assert!(message.contains(&format!("{first}, {second}")) && message.contains(ours().key.as_str()), "{message}");
    assert_eq!(counts(bench).await, before);
}

fn asking() -> OrderDocument {
    let mut order = ours();
    order.policy.matching[0].ask = true;
    order
}

async fn a_rule_that_asks_needs_a_person_before_anything_is_made(bench: &Bench) {
    let party = buyer(bench, &order(2)).await;
    let id = sale_of(bench, &order(1), &party, json!({})).await;
    let before = counts(bench).await;
    let (code, _, message) = rejected(bench.book(1, &asking(), Known::new()).await);
    assert_eq!(code, "match_needs_person");
    assert!(message.contains(&format!("id {id}")) && message.contains(asking().key.as_str()), "{message}");
    assert_eq!(counts(bench).await, before);
}

async fn a_sale_that_a_person_gave_our_key_is_the_orders(bench: &Bench) {
    let id = sale(bench, &order(1), json!({"reference": asking().key.as_str()})).await;
    is_adopted(bench, &asking(), &id).await;
}

async fn a_second_sale_is_made_where_the_plan_says_so(bench: &Bench) {
    let id = sale(bench, &order(1), json!({})).await;
    let mut ours = ours();
    ours.policy.on_match = OnMatch::CreateSecond;
    bench.book(1, &ours, Known::new()).await.unwrap();
    assert_ne!(bench.sale(&ours).await["id"], id);
    assert_eq!(seen(bench, &id).await["reference"], Json::Null);
}

async fn a_cancelled_sale_counts_only_where_there_is_no_other(bench: &Bench) {
    let party = buyer(bench, &order(1)).await;
    let cancelled = sale_of(bench, &order(1), &party, json!({})).await;
    pressed(bench, &cancelled, &["cancel"]).await;
    let (code, field, _) = rejected(bench.book(1, &ours(), Known::new()).await);
    assert_eq!((code.as_str(), field.as_str()), ("not_amendable", "state"));
    let other = sale_of(bench, &order(1), &party, json!({})).await;
    is_adopted(bench, &ours(), &other).await;
    assert_eq!(seen(bench, &cancelled).await["state"], "cancelled");
}

/// Two stores may both have an order #1001.
async fn another_orders_sale_is_not_adopted(bench: &Bench) {
    let other = OrderDocument { name: order(1).name, ..order(2) };
    bench.book(2, &other, Known::new()).await.unwrap();
    bench.book(1, &ours(), Known::new()).await.unwrap();
    assert_ne!(bench.sale(&ours()).await["id"], bench.sale(&other).await["id"]);
}

async fn a_colleagues_return_is_not_adopted(bench: &Bench) {
    let party = buyer(bench, &order(1)).await;
    let id = sale_of(bench, &order(1), &party, json!({})).await;
    sale_of(bench, &order(1), &party, json!({"origin": format!("sale.sale,{id}")})).await;
    is_adopted(bench, &ours(), &id).await;
}

async fn one_sale_is_not_adopted_by_two_orders(bench: &Bench) {
    sale(bench, &order(1), json!({})).await;
    let (first, second) = (ours(), recognised(OrderDocument { name: order(1).name, ..order(2) }));
    let sink = bench.orders();
    let (known, step) = (Known::new(), sink.steps(&first, &Known::new()).remove(0));
    let call_key = waybill_domain::CallKey::new(&first.key, "recognise", b"");
    let call = |document: &'static OrderDocument| waybill_connector::StepCall {
        step: &step,
        document,
        object_key: &document.key,
        call_key: &call_key,
        known: &known,
        is_again: false,
    };
    let (first, second): (&'static OrderDocument, &'static OrderDocument) =
        (Box::leak(Box::new(first)), Box::leak(Box::new(second)));
    let outcomes = sink.apply(&[call(first), call(second)]).await;
    for outcome in outcomes {
        assert!(matches!(&outcome, Err(Failure::Rejected { code, .. }) if code == "several_matches"), "{outcome:?}");
    }
}

async fn a_kept_field_is_filled_where_it_is_empty_and_never_changed(bench: &Bench) {
    let kept = |mut order: OrderDocument| {
        order.policy = WritePolicy { keep: ["comment".to_owned()].into(), ..order.policy };
        order
    };
    for (theirs, expected) in [(json!("by a colleague"), "by a colleague"), (Json::Null, "leave at the door")] {
        let n = 1 + usize::from(theirs.is_null());
        let ours = kept(recognised(order(n)));
        let id = sale(bench, &ours, json!({"comment": theirs})).await;
        let known = bench.book(n, &ours, Known::new()).await.unwrap();
        assert_eq!(seen(bench, &id).await["comment"], expected);
        bench.vendor.model("sale.sale.write", json!([[id], {"comment": null}])).await;
        bench.book(n, &with_comment(ours, "another"), known).await.unwrap();
        assert_eq!(seen(bench, &id).await["comment"], Json::Null, "a kept field is written later");
    }
}

fn comment_only(order: OrderDocument) -> OrderDocument {
    only_fields(order, &["comment"])
}

async fn of_an_adopted_sale_only_the_named_fields_are_written(bench: &Bench) {
    let party = buyer(bench, &order(2)).await;
    let id = sale_of(bench, &with_five_shirts(&order(1)), &party, json!({"reference": "by hand"})).await;
    pressed(bench, &id, &["quote"]).await;
    let before = counts(bench).await;
    let mut ours = comment_only(ours());
    ours.policy.matching = vec![rule(field("reference"), "by hand")];
    ours.fields.insert("description".to_owned(), waybill_domain::document::FieldValue::Text("ours".into()));
    let known = bench.book(1, &ours, Known::new()).await.unwrap();
    let sale = seen(bench, &id).await;
    let state = |sale: &Json| (sale["state"].clone(), sale["description"].clone(), quantities(sale));
    let untouched = (json!("quotation"), json!("#1001"), vec![5.0, 3.0, 1.0]);
    assert_eq!((state(&sale), &sale["comment"]), (untouched.clone(), &json!("leave at the door")));
    assert_eq!(sale["reference"], ours.key.as_str());
    // A later plan does not widen what was decided on adoption.
    let mut later = with_comment(with_five_shirts(&ours), "ring twice");
    later.policy.on_match = OnMatch::Merge;
    bench.book(1, &later, known).await.unwrap();
    let sale = seen(bench, &id).await;
    assert_eq!((state(&sale), &sale["comment"]), (untouched, &json!("ring twice")));
    assert_eq!(counts(bench).await, before, "parties, addresses, identifiers, sales");
}

async fn only_the_named_fields_of_a_sale_that_a_person_gave_our_key_are_written(bench: &Bench) {
    let ours = comment_only(ours());
    let id = sale(bench, &with_five_shirts(&order(1)), json!({"reference": ours.key.as_str()})).await;
    bench.book(1, &ours, Known::new()).await.unwrap();
    let sale = seen(bench, &id).await;
    assert_eq!((&sale["state"], &sale["comment"]), (&json!("draft"), &json!("leave at the door")));
    assert_eq!(quantities(&sale), [5.0, 3.0, 1.0]);
}

/// Cut after our own create, and then changed: the sale with our key is not taken for one from before us.
async fn a_sale_of_our_own_is_written_whole_under_such_a_rule(bench: &Bench) {
    let ours = comment_only(ours());
    let record = order_record(1);
    let mut delivery = Delivery::new(bench.orders(), &record, &ours, Known::new());
    while delivery.next().is_some_and(|step| step.name != "draft") {
        delivery.advance().await.unwrap();
    }
    let before_the_create = delivery.known().clone();
    delivery.advance().await.unwrap();
    bench.book(1, &with_five_shirts(&ours), before_the_create).await.unwrap();
    let sale = bench.sale(&ours).await;
    assert_eq!((&sale["state"], quantities(&sale)), (&json!("processing"), vec![5.0, 3.0, 1.0]));
}

/// Advances past the look for a sale, then lets a colleague enter it, then goes on.
async fn entered_meanwhile(bench: &Bench, ours: &OrderDocument, theirs: &OrderDocument) -> Json {
    let record = order_record(1);
    let mut delivery = Delivery::new(bench.orders(), &record, ours, Known::new());
    delivery.advance().await.unwrap();
    let id = sale(bench, theirs, json!({})).await;
    delivery.drive().await.unwrap();
    let sales = counts(bench).await[3];
    assert_eq!(sales, 1, "sales");
    id
}

async fn a_sale_that_appears_after_the_look_is_adopted(bench: &Bench) {
    let id = entered_meanwhile(bench, &ours(), &with_five_shirts(&order(1))).await;
    assert_eq!(quantities(&seen(bench, &id).await), [2.0, 3.0, 1.0]);
}

async fn a_sale_that_appears_after_the_look_gets_only_the_named_fields(bench: &Bench) {
    let ours = comment_only(ours());
    let id = entered_meanwhile(bench, &ours, &with_five_shirts(&order(1))).await;
    let sale = seen(bench, &id).await;
    assert_eq!((&sale["state"], quantities(&sale)), (&json!("draft"), vec![5.0, 3.0, 1.0]));
    assert_eq!((&sale["reference"], &sale["comment"]), (&json!(ours.key.as_str()), &json!("leave at the door")));
}

fn cancelled(order: OrderDocument) -> OrderDocument {
    OrderDocument { cancelled: true, ..order }
}

async fn a_cancelled_order_cancels_the_sale_from_before_us(bench: &Bench) {
    let id = sale(bench, &order(1), json!({})).await;
    pressed(bench, &id, &["quote"]).await;
    bench.book(1, &cancelled(ours()), Known::new()).await.unwrap();
    let sale = seen(bench, &id).await;
    assert_eq!((&sale["state"], &sale["reference"]), (&json!("cancelled"), &json!(ours().key.as_str())));
}

async fn a_cancelled_order_leaves_a_sale_of_which_only_fields_are_ours(bench: &Bench) {
    let id = sale(bench, &order(1), json!({})).await;
    let known = bench.book(1, &comment_only(ours()), Known::new()).await.unwrap();
    for known in [Known::new(), known] {
        let (code, field, _) = rejected(bench.book(1, &cancelled(comment_only(ours())), known).await);
        assert_eq!((code.as_str(), field.as_str()), ("not_amendable", "cancelled"));
    }
    assert_eq!(seen(bench, &id).await["state"], "draft");
    pressed(bench, &id, &["cancel"]).await;
    bench.book(1, &cancelled(comment_only(ours())), Known::new()).await.unwrap();
}

async fn an_unknown_field_of_a_rule_is_named(bench: &Bench) {
    let mut ours = ours();
    ours.policy = matched_by(vec![rule(field("colour"), "red")]);
    let (code, field, message) = rejected(bench.book(1, &ours, Known::new()).await);
    assert_eq!((code.as_str(), field.as_str()), ("unknown_field", "colour"));
    assert!(message.contains("sale.sale"), "{message}");
    assert_eq!(counts(bench).await[3], 0);
}

async fn a_sale_has_no_email_to_be_recognised_by(bench: &Bench) {
    made(bench, "party.party", json!({"name": "Ann"})).await;
    let mut ours = ours();
    ours.policy = matched_by(vec![rule(waybill_domain::document::MatchBy::Email, "jane1@example.com")]);
    let (code, ..) = rejected(bench.book(1, &ours, Known::new()).await);
    assert_eq!(code, "map_error");
}
