//! Every subject is built and parsed here and nowhere else.

use std::str::FromStr;

use thiserror::Error;
use waybill_domain::{Kind, RecordKey, SystemName};

/// Why a subject is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{0}' is not a subject of Waybill")]
pub struct SubjectError(pub String);

/// The domain whose service is a kind's source: the first token of its subjects.
pub const fn domain(kind: Kind) -> &'static str {
    match kind {
        Kind::Order | Kind::Customer | Kind::Product | Kind::InventoryLevel | Kind::Fulfilment | Kind::Refund => {
            "store"
        }
        Kind::Shipment => "shipment",
        Kind::StockLevel => "stock",
        Kind::Price => "catalog",
        Kind::Incident => "alert",
    }
}

/// `<domain>.v1.<kind>.<store>.<id>`: a record now looks so.
pub fn snapshot(key: &RecordKey) -> String {
    format!("{}.v1.{}.{}.{}", domain(key.kind), key.kind, key.store, key.id)
}

/// `<domain>.v1.<kind>.>`: every record of a kind.
pub fn snapshots_of(kind: Kind) -> String {
    format!("{}.v1.{kind}.>", domain(kind))
}

/// `receipt.v1.<service>.<system>.<kind>.<store>.<id>`: what became of a delivery.
pub fn receipt(service: &str, system: &SystemName, key: &RecordKey) -> String {
    format!("receipt.v1.{service}.{system}.{}.{}.{}", key.kind, key.store, key.id)
}

/// `dead.v1.<service>.<system>.<kind>.<store>.<id>`: a delivery that needs a person.
pub fn dead_letter(service: &str, system: &SystemName, key: &RecordKey) -> String {
    format!("dead.v1.{service}.{system}.{}.{}.{}", key.kind, key.store, key.id)
}

/// `control.v1.<system>.<service>`: a system's condition as a service sees it. Not kept in a stream.
pub fn system_report(system: &SystemName, service: &str) -> String {
    format!("control.v1.{system}.{service}")
}

/// Every system's condition.
pub const SYSTEM_REPORTS: &str = "control.v1.>";

/// `plan.v1.<service>`: which plan a replica of a service obeys. Not kept in a stream.
pub fn plan_report(service: &str) -> String {
    format!("plan.v1.{service}")
}

/// Every replica's plan.
pub const PLAN_REPORTS: &str = "plan.v1.*";

/// The service that a plan report's subject names. A service may publish on its own only, so this is who said it.
///
/// # Errors
/// If the subject is not one of [`plan_report`]'s.
pub fn parse_plan_report(subject: &str) -> Result<&str, SubjectError> {
    let ["plan", "v1", service] = subject.split('.').collect::<Vec<_>>()[..] else {
        return Err(SubjectError(subject.to_owned()));
    };
    if service.is_empty() { Err(SubjectError(subject.to_owned())) } else { Ok(service) }
}

/// The record that a snapshot's subject names.
///
/// # Errors
/// If the subject is not one of [`snapshot`]'s.
pub fn parse_snapshot(subject: &str) -> Result<RecordKey, SubjectError> {
    let wrong = || SubjectError(subject.to_owned());
    let [head, "v1", kind, store, id] = subject.split('.').collect::<Vec<_>>()[..] else { return Err(wrong()) };
    let key = record(kind, store, id).ok_or_else(wrong)?;
    if head == domain(key.kind) { Ok(key) } else { Err(wrong()) }
}

/// The system and record that a receipt's or dead letter's subject names.
///
/// # Errors
/// If the subject is neither.
pub fn parse_report(subject: &str) -> Result<(SystemName, RecordKey), SubjectError> {
    let wrong = || SubjectError(subject.to_owned());
    let [head, "v1", _service, system, kind, store, id] = subject.split('.').collect::<Vec<_>>()[..] else {
        return Err(wrong());
    };
    if !matches!(head, "receipt" | "dead") {
        return Err(wrong());
    }
    let system = SystemName::from_str(system).map_err(|_| wrong())?;
    Ok((system, record(kind, store, id).ok_or_else(wrong)?))
}

fn record(kind: &str, store: &str, id: &str) -> Option<RecordKey> {
    Some(RecordKey { store: store.parse().ok()?, kind: kind.parse().ok()?, id: id.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use waybill_domain::{Kind, RecordKey};

    use super::{
        dead_letter, parse_plan_report, parse_report, parse_snapshot, plan_report, receipt, snapshot, system_report,
    };

    #[test]
    fn subjects_round_trip_for_every_kind() {
        for kind in Kind::ALL {
            let key = RecordKey { store: "main".parse().unwrap(), kind, id: "12-34_A".parse().unwrap() };
            let system = "erp".parse().unwrap();
            assert_eq!(parse_snapshot(&snapshot(&key)), Ok(key.clone()));
            assert_eq!(parse_report(&receipt("erp-sync", &system, &key)), Ok((system.clone(), key.clone())));
            assert_eq!(parse_report(&dead_letter("erp-sync", &system, &key)), Ok((system, key)));
        }
    }

    #[test]
    fn a_plan_report_tells_whose_it_is_and_is_no_systems() {
        assert_eq!(parse_plan_report(&plan_report("erp-sync")), Ok("erp-sync"));
        let of_a_system = system_report(&"plan".parse().unwrap(), "erp-sync");
        for wrong in ["plan.v1.", "plan.v1", "plan.v2.erp-sync", "plan.v1.erp-sync.x", of_a_system.as_str()] {
            assert!(parse_plan_report(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn foreign_subjects_are_refused() {
        for wrong in
            ["store.v1.order.main", "stock.v1.order.main.1", "store.v2.order.main.1", "store.v1.order.main.1.2"]
        {
            assert!(parse_snapshot(wrong).is_err(), "{wrong}");
        }
    }
}
