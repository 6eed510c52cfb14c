//! What the services answer from.

use std::collections::{BTreeMap, HashMap};

use waybill_proto::wire::{
    self, AccountingLine, Delivery, DeliveryDetail, Incident, Line, RecordKey, State, SystemReport, Waybill,
    delivery_detail::Step, inbox_count_response, inbox_list_response::Webhook,
};

/// The state of all services. Waybills are made of the deliveries, as receipts would make them.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) accounting: Vec<AccountingLine>,
    pub(crate) unheard: Vec<String>,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) slowest_page_ms: Option<i64>,
    pub(crate) details: Vec<DeliveryDetail>,
    pub(crate) snapshots: Vec<wire::Snapshot>,
    pub(crate) systems: Vec<SystemReport>,
    pub(crate) replicas: Vec<wire::Replica>,
    /// The plan's file, as the console's settings name it.
    pub(crate) plan: String,
    pub(crate) webhook_counts: Vec<inbox_count_response::Count>,
    pub(crate) webhooks: Vec<Webhook>,
    /// Addresses given instead of the real ones.
    pub(crate) elsewhere: HashMap<&'static str, String>,
    pub(crate) retried: Vec<wire::SelectDeliveriesRequest>,
    pub(crate) discarded: Vec<wire::SelectDeliveriesRequest>,
    pub(crate) edited: Vec<wire::EditRequest>,
    pub(crate) approvals: Vec<wire::list_approvals_response::Approval>,
    pub(crate) approved: Vec<wire::ApproveRequest>,
    pub(crate) refused: Vec<wire::RefuseRequest>,
    pub(crate) released: Vec<wire::ReleaseRequest>,
}

impl World {
    pub(crate) fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.details.iter().filter_map(|detail| detail.delivery.as_ref())
    }

    pub(crate) fn waybills(&self) -> Vec<Waybill> {
        let mut waybills: BTreeMap<(String, String, String), Waybill> = BTreeMap::new();
        for delivery in self.deliveries() {
            let key = delivery.key.clone().unwrap();
            let place = (key.store.clone(), key.kind.clone(), key.id.clone());
            let waybill = waybills.entry(place).or_insert_with(|| Waybill {
                key: Some(key),
                name: delivery.name.clone(),
                changed_at: delivery.changed_at,
                lines: Vec::new(),
            });
            waybill.lines.push(line(delivery));
        }
        let mut waybills: Vec<_> = waybills.into_values().collect();
        waybills.sort_by_key(|waybill| std::cmp::Reverse(waybill.name.clone()));
        waybills
    }

    pub(crate) fn with(mut self, delivery: Delivery) -> Self {
        self.details.push(DeliveryDetail { delivery: Some(delivery), ..DeliveryDetail::default() });
        self
    }

    /// Gives the last delivery a step.
    pub(crate) fn with_step(mut self, name: &str, state: &str, message: &str) -> Self {
        self.details.last_mut().unwrap().steps.push(Step {
            name: name.to_owned(),
            role: "order".to_owned(),
            call_key: "wabcdefghijklmnopqrst".to_owned(),
            state: state.to_owned(),
            message: message.to_owned(),
            started_at: None,
            finished_at: None,
        });
        self
    }
}

fn line(delivery: &Delivery) -> Line {
    Line {
        system: delivery.system.clone(),
        service: delivery.service.clone(),
        state: delivery.state,
        accepted: delivery.desired.map_or(0, |revision| revision.number),
        settled: delivery.settled,
        code: delivery.code.clone(),
        message: delivery.message.clone(),
        field: delivery.field.clone(),
        external_id: delivery.external_id.clone(),
        attempts: delivery.attempts,
        changed_at: delivery.changed_at,
        plan_hash: String::new(),
    }
}

/// An order's key in the store `main`.
pub(crate) fn order(id: &str) -> RecordKey {
    RecordKey { store: "main".to_owned(), kind: "order".to_owned(), id: id.to_owned() }
}

/// An order that a system took.
pub(crate) fn applied(system: &str, id: &str) -> Delivery {
    Delivery {
        service: if system == "hubspot" { "crm-sync" } else { "erp-sync" }.to_owned(),
        system: system.to_owned(),
        key: Some(order(id)),
        name: format!("#{id}"),
        state: State::Applied.into(),
        desired: Some(wire::Revision { epoch: 1, number: 3 }),
        settled: 3,
        external_id: format!("{system}-{id}"),
        attempts: 1,
        ..Delivery::default()
    }
}

/// An order that a system does not take.
pub(crate) fn parked(system: &str, id: &str, code: &str, message: &str) -> Delivery {
    Delivery {
        state: State::Parked.into(),
        code: code.to_owned(),
        message: message.to_owned(),
        external_id: String::new(),
        ..applied(system, id)
    }
}

/// A replica that obeys the plan with this hash.
pub(crate) fn obeying(service: &str, hash: &str) -> wire::Replica {
    let plan = wire::PlanReport {
        service: service.to_owned(),
        replica: format!("{service}-7d9f4-1"),
        plan_hash: hash.to_owned(),
        ..wire::PlanReport::default()
    };
    wire::Replica { plan: Some(plan), heard_at: None }
}

/// A line that closes.
pub(crate) fn closed(system: &str) -> AccountingLine {
    AccountingLine {
        store: "main".to_owned(),
        kind: "order".to_owned(),
        system: system.to_owned(),
        accepted: 10,
        applied: 8,
        superseded: 2,
        ..AccountingLine::default()
    }
}
