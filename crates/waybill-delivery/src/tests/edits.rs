//! Values that a person gives in place of the plan's.

use tonic::{Code, Request, Status};
use waybill_connector::Failure;
use waybill_domain::{Kind, RecordKey, Snapshot};
use waybill_proto::wire::{
    EditRequest, EditResponse, Revision, ShowDeliveryRequest, State, deliveries_server::Deliveries as _,
    edit_request::Value,
};
use waybill_testkit::records::order;

use super::bench::{Answer, Bench};

const COMMENT: &str = "fields = { comment = \"lookup('comments', order.name)\", title = \"order.name\" }";
const NO_COMMENTS: &str = "[tables.comments]\n\"#7\" = \"gift\"";

fn bought(revision: i64) -> Snapshot {
    order(1).paid().by("ada@example.com").with_line("TEE", revision, "24.00").at_revision(revision)
}

fn edit(values: &[(&str, &str)]) -> EditRequest {
    let key = RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: "1".parse().unwrap() };
    let value = |(path, value): &(&str, &str)| Value { path: (*path).to_owned(), value: (*value).to_owned() };
    EditRequest {
        system: "erp".to_owned(),
        key: Some((&key).into()),
        values: values.iter().map(value).collect(),
        actor: "ada".to_owned(),
        reason: "asked the buyer".to_owned(),
        ..EditRequest::default()
    }
}

impl Bench {
    async fn give(&self, request: EditRequest) -> Result<EditResponse, Status> {
        self.people().edit(Request::new(request)).await.map(tonic::Response::into_inner)
    }

    /// A record is parked as the system refuses it.
    async fn is_refused(&self) {
        let refused = Failure::Rejected {
            code: "invalid".to_owned(),
            field: "title".to_owned(),
            message: "it is not allowed".to_owned(),
        };
        self.answer(Answer::Fail(refused));
        self.hear(bought(1)).await;
        self.round().await;
        assert_eq!(self.states().await, ["parked invalid"]);
    }
}

#[tokio::test]
async fn what_the_system_refused_is_written_with_the_persons_value_and_who_and_why_are_kept() {
    let bench = bench!();
    bench.obey("fields = { title = \"order.name\" }", "");
    bench.is_refused().await;
    let told = bench.give(edit(&[("title", "One thousand")])).await.unwrap();
    assert_eq!(told.would_be(), State::Applied);
    let [change] = &told.changes[..] else { panic!("{told:?}") };
    assert_eq!((&*change.path, &*change.was, &*change.would_be), ("title", "#1", "One thousand"));
    bench.round().await;
    assert_eq!(
        (bench.states().await, bench.field("#1", "title")),
        (vec!["applied".to_owned()], Some("One thousand".to_owned()))
    );
    assert_eq!(bench.audited().await, ["edit"]);
    let shown = ShowDeliveryRequest { system: "erp".to_owned(), key: edit(&[]).key };
    let shown = bench.people().show(Request::new(shown)).await.unwrap().into_inner();
    let [kept] = &shown.edits[..] else { panic!("{shown:?}") };
    assert_eq!((&*kept.path, &*kept.actor, &*kept.reason), ("title", "ada", "asked the buyer"));
}

#[tokio::test]
async fn it_stands_while_other_things_change_and_lapses_when_its_own_value_does() {
    let bench = bench!();
    bench.obey("fields = { title = \"order.name\", status = \"order.financial_status\" }", "");
    bench.is_refused().await;
    bench.give(edit(&[("title", "One thousand")])).await.unwrap();
    bench.round().await;
    bench.hear(bought(2)).await;
    bench.round().await;
    assert_eq!(bench.held(1).1, 2, "the second revision is there");
    assert_eq!(bench.field("#1", "title").unwrap(), "One thousand");
    bench.obey("fields = { title = \"order.name ~ ' of the store'\" }", "");
    bench.hear(bought(3)).await;
    bench.round().await;
    assert_eq!(bench.field("#1", "title").unwrap(), "#1 of the store");
    bench.obey("fields = { title = \"order.name\" }", "");
    bench.hear(bought(4)).await;
    bench.round().await;
    assert_eq!(bench.field("#1", "title").unwrap(), "#1", "what has lapsed does not come back");
}

#[tokio::test]
async fn a_dry_run_tells_and_changes_nothing_and_what_would_still_be_parked_is_refused() {
    let bench = bench!();
    bench.obey(COMMENT, NO_COMMENTS);
    bench.hear(bought(1)).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["parked unmapped"]);
    let dry = bench.give(EditRequest { dry_run: true, ..edit(&[("comment", "gift")]) }).await.unwrap();
    assert!(dry.would_be() == State::Applied && dry.changes[0].was_error.contains("comments"), "{dry:?}");
    let vain = bench.give(edit(&[("title", "One")])).await.unwrap_err();
    assert_eq!(vain.code(), Code::FailedPrecondition);
    assert!(vain.message().contains("comment") && vain.message().contains("still be parked"), "{vain}");
    bench.round().await;
    assert_eq!((bench.states().await, bench.audited().await.len()), (vec!["parked unmapped".to_owned()], 0));

    bench.give(edit(&[("comment", "gift")])).await.unwrap();
    bench.round().await;
    assert_eq!(bench.field("#1", "comment").unwrap(), "gift");
}

#[tokio::test]
async fn a_value_that_is_not_there_is_refused_with_those_that_are() {
    let bench = bench!();
    bench.obey("fields = { title = \"order.name\" }", "");
    bench.is_refused().await;
    let error = bench.give(edit(&[("titel", "x")])).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.message().contains("'titel'") && error.message().contains("customer.email, "), "{error}");
    // The last part is enough where there is no other.
    let dry = EditRequest { dry_run: true, ..edit(&[("email", "ada@example.org")]) };
    assert_eq!(bench.give(dry).await.unwrap().changes[0].path, "customer.email");
}

#[tokio::test]
async fn only_what_is_parked_and_was_seen_as_it_is_is_edited() {
    let bench = bench!();
    bench.obey("fields = { title = \"order.name\" }", "");
    bench.hear(bought(1)).await;
    bench.round().await;
    let settled = bench.give(edit(&[("title", "x")])).await.unwrap_err();
    assert!(settled.code() == Code::FailedPrecondition && settled.message().contains("it is applied"), "{settled}");
    let bench = bench!();
    bench.obey("fields = { title = \"order.name\" }", "");
    bench.is_refused().await;
    let seen = Some(Revision { epoch: 1, number: 7 });
    let other = bench.give(EditRequest { seen, ..edit(&[("title", "x")]) }).await.unwrap_err();
    assert!(other.message().contains("look again"), "{other}");
    let nobody = bench.give(EditRequest { reason: String::new(), ..edit(&[("title", "x")]) }).await.unwrap_err();
    assert_eq!(nobody.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn where_the_plan_comes_to_nothing_the_person_says_what_the_value_is() {
    let bench = bench!();
    bench.obey(COMMENT, NO_COMMENTS);
    bench.hear(bought(1)).await;
    bench.round().await;
    let wrong = bench.give(edit(&[("comment:number", "a dozen")])).await.unwrap_err();
    assert_eq!((wrong.code(), wrong.message()), (Code::InvalidArgument, "'comment' takes a number such as 12.50"));
    bench.give(edit(&[("comment:number", "12")])).await.unwrap();
    bench.round().await;
    let kept: String = sqlx::query_scalar("select value::text from edit").fetch_one(bench.pool()).await.unwrap();
    assert_eq!((bench.states().await, kept.as_str()), (vec!["applied".to_owned()], r#"{"number": "12"}"#));
}
