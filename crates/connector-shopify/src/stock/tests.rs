use waybill_connector::Failure;

use super::{Change, Outcomes, concerned, judge};
use crate::wire::UserError;

fn error(code: &str, field: &[&str]) -> UserError {
    UserError {
        code: Some(code.to_owned()),
        field: Some(field.iter().map(|part| (*part).to_owned()).collect()),
        message: "m".to_owned(),
    }
}

fn changes() -> Vec<Change> {
    let level_updated_at = "2026-07-01T00:00:00Z".parse().unwrap();
    [4, 7].map(|call| Change { call, from: 1, level_updated_at }).into()
}

fn judged(errors: &[UserError]) -> Outcomes {
    let changes = changes();
    let mut outcomes: Outcomes = vec![None; 8];
    judge(errors, &changes.iter().collect::<Vec<_>>(), &mut outcomes);
    outcomes
}

#[test]
fn an_error_is_given_to_the_call_whose_quantity_it_names() {
    let outcomes = judged(&[error("INVALID_LOCATION", &["input", "quantities", "1", "locationId"])]);
    let refused = Failure::rejected("INVALID_LOCATION", "input.quantities.1.locationId", "m");
    assert_eq!(outcomes[7], Some(Err(refused)));
    assert_eq!(outcomes[4], None);
}

#[test]
fn a_stale_quantity_is_left_to_be_read_again() {
    let outcomes = judged(&[error("CHANGE_FROM_QUANTITY_STALE", &["input", "quantities", "0", "changeFromQuantity"])]);
    assert!(outcomes.iter().all(Option::is_none));
}

#[test]
fn an_error_that_names_no_quantity_is_everyones() {
    let outcomes = judged(&[error("INVALID_REASON", &["input", "reason"])]);
    assert!(outcomes[4].is_some() && outcomes[7].is_some() && outcomes[0].is_none());
}

#[test]
fn a_place_in_the_input_is_read_from_the_path() {
    assert_eq!(concerned(&error("X", &["input", "quantities", "12", "quantity"])), Some(12));
    assert_eq!(concerned(&error("X", &["input", "quantities", "x"])), None);
    assert_eq!(concerned(&error("X", &["input"])), None);
}
