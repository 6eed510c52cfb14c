use std::time::Duration;

use waybill_connector::{Effect, Failure};

use super::{Envelope, meaning, redacted, worst};

fn failure(effect: Effect, answer: &str) -> Failure {
    let envelope: Envelope<'_> = serde_json::from_str(answer).unwrap();
    meaning(effect, worst(&envelope.errors).unwrap(), envelope.extensions.cost.as_ref())
}

fn coded(code: &str) -> String {
    format!(r#"{{"errors":[{{"message":"m","path":["order",0],"extensions":{{"code":"{code}"}}}}],"data":null}}"#)
}

#[test]
fn a_throttled_answer_says_how_long_until_the_bucket_holds_enough() {
    let answer = r#"{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],
        "extensions":{"cost":{"requestedQueryCost":101,"actualQueryCost":null,
        "throttleStatus":{"maximumAvailable":1000.0,"currentlyAvailable":1,"restoreRate":50.0}}}}"#;
    assert_eq!(failure(Effect::UnkeyedWrite, answer), Failure::RateLimited { retry_after: Duration::from_secs(2) });
}

#[test]
fn a_throttled_answer_without_numbers_waits_a_second() {
    assert_eq!(
        failure(Effect::Read, &coded("THROTTLED")),
        Failure::RateLimited { retry_after: Duration::from_secs(1) }
    );
}

#[test]
fn a_missing_scope_is_named() {
    let answer = r#"{"errors":[{"message":"Access denied for order field.","path":["order"],"extensions":
        {"code":"ACCESS_DENIED","requiredAccess":"`read_orders` access scope."}}],"data":{"order":null}}"#;
    let expected = Failure::Unauthorized { message: "ACCESS_DENIED: `read_orders` access scope.".to_owned() };
    assert_eq!(failure(Effect::Read, answer), expected);
}

#[test]
fn an_internal_error_of_an_unkeyed_write_is_ambiguous() {
    let error = coded("INTERNAL_SERVER_ERROR");
    assert!(matches!(failure(Effect::UnkeyedWrite, &error), Failure::Ambiguous { .. }));
    assert!(matches!(failure(Effect::IdempotentWrite, &error), Failure::Transient { .. }));
}

#[test]
fn a_request_still_running_under_the_same_key_is_transient() {
    let error = coded("IDEMPOTENCY_CONCURRENT_REQUEST");
    assert!(matches!(failure(Effect::IdempotentWrite, &error), Failure::Transient { .. }));
}

#[test]
fn any_other_code_is_a_refusal_with_its_place() {
    assert_eq!(failure(Effect::Read, &coded("BAD_REQUEST")), Failure::rejected("BAD_REQUEST", "order.0", "m"));
}

#[test]
fn a_limit_decides_over_other_errors() {
    let answer = r#"{"errors":[{"message":"a","extensions":{"code":"BAD_REQUEST"}},
        {"message":"b","extensions":{"code":"THROTTLED"}}]}"#;
    assert!(matches!(failure(Effect::Read, answer), Failure::RateLimited { .. }));
}

#[test]
fn an_address_in_the_vendors_words_is_not_kept() {
    assert_eq!(redacted("Email jo@example.com is\n invalid"), "Email [redacted] is invalid");
}
