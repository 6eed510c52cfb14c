//! Logging in, and sessions that end.

use connector_tryton::Tryton;
use waybill_connector::{Failure, Known, sink::Check};
use waybill_simulator::kit::{Fault, FaultKind};

use crate::{
    bench::Bench,
    documents::{order, order_record},
    on_both,
};

on_both!(
    a_check_passes_with_the_right_password,
    a_wrong_password_is_unauthorized,
    an_unknown_database_pauses_the_system,
    the_company_can_be_named,
    an_unknown_company_pauses_the_system,
    a_session_that_has_ended_is_opened_anew,
    a_login_that_fails_for_now_is_transient,
);

async fn refused(connector: &Tryton) -> String {
    match connector.check().await {
        Err(Failure::Unauthorized { message }) => message,
        other => panic!("{other:?}"),
    }
}

async fn a_check_passes_with_the_right_password(bench: &Bench) {
    bench.connector.check().await.unwrap();
}

async fn a_wrong_password_is_unauthorized(bench: &Bench) {
    let message = refused(&bench.another(&[("password", "not-the-password")])).await;
    assert!(!message.contains("not-the-password"), "{message}");
}

async fn an_unknown_database_pauses_the_system(bench: &Bench) {
    let message = refused(&bench.another(&[("database", "nowhere")])).await;
    assert!(message.contains("database"), "{message}");
}

async fn the_company_can_be_named(bench: &Bench) {
    let connector = bench.another(&[("company", "Example Store")]);
    waybill_connector::contract::drive(&connector, &order_record(1), &order(1), Known::new()).await.unwrap();
    assert_eq!(bench.sale(&order(1)).await["state"], "processing");
}

async fn an_unknown_company_pauses_the_system(bench: &Bench) {
    let message = refused(&bench.another(&[("company", "Nobody & Sons")])).await;
    assert!(message.contains("company"), "{message}");
}

/// The session is refused as Tryton refuses one that has ended; the login that follows is not.
async fn a_session_that_has_ended_is_opened_anew(bench: &Bench) {
    bench.faults().add(Fault {
        kind: FaultKind::Unauthorized,
        times: 1,
        path: String::new(),
        body: "sale.sale.create".to_owned(),
    });
    bench.book(1, &order(1), Known::new()).await.unwrap();
    assert_eq!(bench.sale(&order(1)).await["state"], "processing");
}

async fn a_login_that_fails_for_now_is_transient(bench: &Bench) {
    let connector = bench.another(&[]);
    let fault = Fault { kind: FaultKind::ServerError, times: 1, path: String::new(), body: String::new() };
    bench.faults().add(fault);
    let failure = connector.check().await.unwrap_err();
    assert!(matches!(failure, Failure::Transient { .. }), "{failure:?}");
    connector.check().await.unwrap();
}

#[tokio::test]
async fn sessions_that_tryton_has_forgotten_are_renewed() {
    let bench = Bench::simulated().await;
    bench.vendor.simulated.as_ref().unwrap().expire_sessions();
    bench.connector.check().await.unwrap();
}
