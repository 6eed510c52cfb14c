//! One record: its waybill from the watch, joined with what the services in charge say themselves.

use std::collections::BTreeMap;

use futures::future::join_all;
use jiff::Timestamp;
use tonic::Code;
use waybill_proto::wire::{
    Delivery, DeliveryDetail, FindByNameRequest, GetSnapshotRequest, GetWaybillRequest, Line, ListDeliveriesRequest,
    ListWaybillsRequest, RecordKey, Revision, ShowDeliveryRequest, State, Waybill, deliveries_client::DeliveriesClient,
    delivery_detail, snapshot::Body, source_client::SourceClient, watch_client::WatchClient,
};

use super::{INBOX, Services, Unanswered, WATCH};
use crate::words;

pub use waybill_proto::wire::delivery_detail::Step;

/// A record as people look at it.
#[derive(Debug, Clone)]
pub struct RecordView {
    /// Which.
    pub key: RecordKey,
    /// What people call it.
    pub name: String,
    /// Its line per system.
    pub lines: Vec<LineView>,
    /// The waybills that belong to it: an order's customer and shipments.
    pub related: Vec<Waybill>,
    /// Who could not be asked.
    pub unanswered: Vec<Unanswered>,
}

/// One system's line of a record.
#[derive(Debug, Clone)]
pub struct LineView {
    /// The system.
    pub system: String,
    /// The service in charge.
    pub service: String,
    /// The state: the service's own word if it answers, else what the watch heard last.
    pub state: State,
    /// What the watch heard last, if it answers and has the line.
    pub heard: Option<State>,
    /// The newest revision that is wanted there, as far as the watch or the service has heard.
    pub wanted: i64,
    /// The newest revision that is settled.
    pub settled: i64,
    /// The cause, or the rule that ignored it.
    pub code: String,
    /// In the words of the system or the service.
    pub message: String,
    /// Which field, if one is at fault.
    pub field: String,
    /// The system's id of the record.
    pub external_id: String,
    /// Tries of the revision.
    pub attempts: i64,
    /// The hash of the plan by which the newest receipt was given, as far as the watch has heard.
    pub plan_hash: String,
    /// When the state changed.
    pub changed_at: Option<Timestamp>,
    /// When it is looked at again, for one that is under way.
    pub due_at: Option<Timestamp>,
    /// Since when something has been under way.
    pub open_since: Option<Timestamp>,
    /// Since when its service keeps no body of it, as it was settled long ago.
    pub body_removed_at: Option<Timestamp>,
    /// The calls made, newest first; absent if the service could not be asked.
    pub steps: Option<Vec<Step>>,
    /// What the system holds, by role.
    pub known: BTreeMap<String, String>,
    /// The revision that is wanted there, where the service could be asked.
    pub revision: Option<Revision>,
    /// Values that people gave in place of the plan's.
    pub edits: Vec<delivery_detail::Edit>,
}

/// The records that a name may mean.
#[derive(Debug, Clone)]
pub struct Named {
    /// Orders first.
    pub keys: Vec<RecordKey>,
    /// Sources that could not be asked.
    pub unanswered: Vec<Unanswered>,
}

impl Services {
    /// The records that people call so.
    pub async fn named(&self, name: &str) -> Named {
        let request = FindByNameRequest { name: name.to_owned() };
        let gathered = self
            .ask_all(|channel| {
                let request = request.clone();
                async { SourceClient::new(channel).find_by_name(request).await }
            })
            .await;
        let mut keys: Vec<RecordKey> = gathered.found.into_iter().flat_map(|(_, answer)| answer.keys).collect();
        // The watch remembers names too: it helps while a source is away.
        let request = GetWaybillRequest { key: None, name: name.to_owned() };
        let watched = self.ask(WATCH, |channel| async { WatchClient::new(channel).get_waybill(request).await }).await;
        keys.extend(watched.ok().and_then(|waybill| waybill.key));
        keys.sort_by(|a, b| order_first(a).cmp(&order_first(b)));
        keys.dedup();
        Named { keys, unanswered: gathered.unanswered }
    }

    /// One record, asked of the watch and of every service; `None` if nobody knows it and everybody answered.
    pub async fn record(&self, key: &RecordKey) -> Option<RecordView> {
        let (waybill, deliveries) = tokio::join!(self.waybill(key), self.details(key));
        let (details, mut unanswered) = deliveries;
        let waybill = waybill.unwrap_or_else(|silent| {
            unanswered.insert(0, silent);
            None
        });
        if waybill.is_none() && details.is_empty() && unanswered.is_empty() {
            return None;
        }
        let name = name(waybill.as_ref(), &details).unwrap_or_else(|| key.id.clone());
        let lines = join(waybill.map(|waybill| waybill.lines).unwrap_or_default(), details);
        let related = if key.kind == "order" { self.related(key, &name).await } else { Vec::new() };
        unanswered.dedup_by(|a, b| a.service == b.service);
        Some(RecordView { key: key.clone(), name, lines, related, unanswered })
    }

    async fn waybill(&self, key: &RecordKey) -> Result<Option<Waybill>, Unanswered> {
        let request = GetWaybillRequest { key: Some(key.clone()), name: String::new() };
        let answer = self.ask(WATCH, |channel| async { WatchClient::new(channel).get_waybill(request).await }).await;
        match answer {
            Ok(waybill) => Ok(Some(waybill)),
            Err(unanswered) if unanswered.says(Code::NotFound) => Ok(None),
            Err(unanswered) => Err(unanswered),
        }
    }

    /// The record's deliveries with their steps.
    async fn details(&self, key: &RecordKey) -> (Vec<DeliveryDetail>, Vec<Unanswered>) {
        let request = ListDeliveriesRequest { key: Some(key.clone()), ..ListDeliveriesRequest::default() };
        let gathered = self
            .ask_all(|channel| {
                let request = request.clone();
                async { DeliveriesClient::new(channel).list(request).await }
            })
            .await;
        let mut unanswered = gathered.unanswered;
        let asked = gathered.found.into_iter().flat_map(|(service, answer)| {
            answer.deliveries.into_iter().map(move |delivery| (service.clone(), delivery))
        });
        let shown = join_all(asked.map(|(service, delivery)| self.steps_of(service, delivery))).await;
        let mut details = Vec::new();
        for (detail, problem) in shown {
            details.push(detail);
            unanswered.extend(problem);
        }
        (details, unanswered)
    }

    async fn steps_of(&self, service: String, delivery: Delivery) -> (DeliveryDetail, Option<Unanswered>) {
        let request = ShowDeliveryRequest { system: delivery.system.clone(), key: delivery.key.clone() };
        let answer = self.ask(&service, |channel| async { DeliveriesClient::new(channel).show(request).await }).await;
        let known = || DeliveryDetail { delivery: Some(delivery), ..DeliveryDetail::default() };
        match answer {
            Ok(detail) if detail.delivery.is_some() => (detail, None),
            Ok(_) => (known(), None),
            Err(unanswered) => (known(), Some(unanswered)),
        }
    }

    /// An order's customer and shipments, as far as they can be had. Their absence is not a failure of the page.
    async fn related(&self, order: &RecordKey, name: &str) -> Vec<Waybill> {
        let shipments = ListWaybillsRequest {
            kind: "shipment".to_owned(),
            search: name.to_owned(),
            ..ListWaybillsRequest::default()
        };
        let (customer, shipments) = tokio::join!(self.customer(order), self.waybills(shipments));
        let shipments = shipments.map(|answer| answer.waybills).unwrap_or_default().into_iter();
        // The search is for names that begin so: #100 begins #1001 too.
        let shipments = shipments
            .filter(|waybill| waybill.name == name && waybill.key.as_ref().is_some_and(|key| key.store == order.store));
        customer.into_iter().chain(shipments).collect()
    }

    /// The waybill of an order's customer. Of the snapshot only the customer's id is looked at.
    async fn customer(&self, order: &RecordKey) -> Option<Waybill> {
        let request = GetSnapshotRequest { key: Some(order.clone()) };
        let snapshot =
            self.ask(INBOX, |channel| async { SourceClient::new(channel).get_snapshot(request).await }).await.ok()?;
        let Some(Body::Order(order_body)) = snapshot.body else { return None };
        let key = RecordKey { store: order.store.clone(), kind: "customer".to_owned(), id: order_body.customer?.id };
        self.waybill(&key).await.ok()?
    }
}

fn order_first(key: &RecordKey) -> (bool, &str, &str, &str) {
    (key.kind != "order", &key.store, &key.kind, &key.id)
}

fn name(waybill: Option<&Waybill>, details: &[DeliveryDetail]) -> Option<String> {
    let from_services = details.iter().filter_map(|detail| detail.delivery.as_ref().map(|delivery| &delivery.name));
    waybill.map(|waybill| &waybill.name).into_iter().chain(from_services).find(|name| !name.is_empty()).cloned()
}

/// Joins what the watch heard with what the services say. Where both know a line the service's word counts: it is
/// the newer one.
fn join(lines: Vec<Line>, details: Vec<DeliveryDetail>) -> Vec<LineView> {
    let mut views: Vec<LineView> = lines.into_iter().map(heard).collect();
    for detail in details {
        let Some(said) = said(detail) else { continue };
        match views.iter_mut().find(|view| view.system == said.system) {
            Some(view) => {
                *view = LineView {
                    heard: view.heard,
                    wanted: view.wanted.max(said.wanted),
                    plan_hash: std::mem::take(&mut view.plan_hash),
                    ..said
                };
            }
            None => views.push(said),
        }
    }
    views.sort_by(|a, b| a.system.cmp(&b.system));
    views
}

fn heard(line: Line) -> LineView {
    LineView {
        state: line.state(),
        heard: Some(line.state()),
        wanted: line.accepted,
        settled: line.settled,
        changed_at: words::instant(line.changed_at),
        system: line.system,
        service: line.service,
        code: line.code,
        message: line.message,
        field: line.field,
        external_id: line.external_id,
        attempts: line.attempts,
        plan_hash: line.plan_hash,
        due_at: None,
        open_since: None,
        body_removed_at: None,
        steps: None,
        known: BTreeMap::new(),
        revision: None,
        edits: Vec::new(),
    }
}

fn said(detail: DeliveryDetail) -> Option<LineView> {
    let delivery = detail.delivery?;
    let under_way = matches!(delivery.state(), State::Pending | State::Applying | State::Waiting);
    Some(LineView {
        state: delivery.state(),
        heard: None,
        wanted: delivery.desired.map_or(0, |revision| revision.number),
        settled: delivery.settled,
        changed_at: words::instant(delivery.changed_at),
        due_at: words::instant(delivery.due_at).filter(|_| under_way),
        open_since: words::instant(delivery.first_unapplied_at).filter(|_| under_way),
        body_removed_at: words::instant(delivery.body_removed_at),
        system: delivery.system,
        service: delivery.service,
        code: delivery.code,
        message: delivery.message,
        field: delivery.field,
        external_id: delivery.external_id,
        attempts: delivery.attempts,
        plan_hash: String::new(),
        steps: Some(detail.steps),
        known: detail.known.into_iter().collect(),
        revision: delivery.desired,
        edits: detail.edits,
    })
}

#[cfg(test)]
mod tests {
    use super::{Delivery, DeliveryDetail, Line, State, join};

    fn line(system: &str, state: State) -> Line {
        Line { system: system.to_owned(), state: state.into(), ..Line::default() }
    }

    fn detail(system: &str, state: State) -> DeliveryDetail {
        let delivery = Delivery { system: system.to_owned(), state: state.into(), ..Delivery::default() };
        DeliveryDetail { delivery: Some(delivery), ..DeliveryDetail::default() }
    }

    #[test]
    fn the_services_own_word_counts_and_what_the_watch_heard_is_kept() {
        let views = join(vec![line("erp", State::Pending)], vec![detail("erp", State::Parked)]);
        assert_eq!((views[0].state, views[0].heard), (State::Parked, Some(State::Pending)));
    }

    #[test]
    fn a_line_whose_service_is_silent_has_no_steps_rather_than_none_made() {
        let views = join(vec![line("erp", State::Applied)], Vec::new());
        assert!(views[0].steps.is_none());
    }

    #[test]
    fn a_delivery_that_the_watch_has_not_heard_of_is_shown() {
        let views = join(vec![line("crm", State::Applied)], vec![detail("erp", State::Pending)]);
        let systems: Vec<_> = views.iter().map(|view| (view.system.as_str(), view.heard)).collect();
        assert_eq!(systems, [("crm", Some(State::Applied)), ("erp", None)]);
    }
}
