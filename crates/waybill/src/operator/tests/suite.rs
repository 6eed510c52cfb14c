//! Three services in this process: the watch, a source and one that delivers.

mod services;

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Response, service::Routes};
use waybill_proto::{
    convert::to_timestamp,
    wire::{
        self, AccountingLine, Delivery, DeliveryDetail, PlanReport, RecordKey, Replica, Revision, State, SystemReport,
        deliveries_server::DeliveriesServer, delivery_detail::Step, inbox_server::InboxServer,
        source_server::SourceServer, system_report::Condition, watch_server::WatchServer,
    },
};
use waybill_runtime::grpc::{self, RequireToken};

use super::{audit::Audited, people::People, recorded::Recorded};
use services::Answer;

pub(super) const TOKEN: &str = "operations-token";

/// What the services answer from.
#[derive(Default, Clone)]
pub(super) struct Suite {
    accounting: Vec<AccountingLine>,
    unheard: Vec<String>,
    slowest_page_ms: Option<i64>,
    replicas: Vec<Replica>,
    recorded: Recorded,
    people: People,
    audited: Audited,
    details: Vec<DeliveryDetail>,
    silent: Option<&'static str>,
    changes: Arc<Mutex<Vec<String>>>,
    peers: Vec<String>,
    stop: Option<Arc<DropGuard>>,
}

pub(super) fn order(id: &str) -> RecordKey {
    RecordKey { store: "main".to_owned(), kind: "order".to_owned(), id: id.to_owned() }
}

pub(super) fn delivery(system: &str, key: RecordKey, state: State) -> Delivery {
    Delivery {
        service: "erp-sync".to_owned(),
        system: system.to_owned(),
        name: format!("#{}", key.id),
        key: Some(key),
        state: state.into(),
        desired: Some(Revision { epoch: 1, number: 1 }),
        settled: 1,
        ..Delivery::default()
    }
}

/// A replica that has obeyed a plan since the epoch.
pub(super) fn obeying(service: &str, hash: &str) -> Replica {
    let plan = PlanReport {
        service: service.to_owned(),
        replica: format!("{service}-host"),
        plan_hash: hash.to_owned(),
        obeyed_since: Some(to_timestamp(Timestamp::UNIX_EPOCH)),
        ..PlanReport::default()
    };
    Replica { plan: Some(plan), heard_at: None }
}

impl Suite {
    pub(super) fn with(mut self, delivery: Delivery) -> Self {
        self.details.push(DeliveryDetail { delivery: Some(delivery), ..DeliveryDetail::default() });
        self
    }

    /// Gives the last delivery a step that failed.
    pub(super) fn with_step(mut self, name: &str) -> Self {
        let step = Step { name: name.to_owned(), state: "failed".to_owned(), ..Step::default() };
        self.details.last_mut().unwrap().steps.push(step);
        self
    }

    pub(super) fn counting(mut self, line: AccountingLine) -> Self {
        self.accounting.push(line);
        self
    }

    pub(super) fn unheard_by_the_watch(mut self, service: &str) -> Self {
        self.unheard.push(service.to_owned());
        self
    }

    pub(super) const fn paged_within_ms(mut self, milliseconds: i64) -> Self {
        self.slowest_page_ms = Some(milliseconds);
        self
    }

    /// The watch hears of a replica.
    pub(super) fn hearing(mut self, replica: Replica) -> Self {
        self.replicas.push(replica);
        self
    }

    /// An audit finds this.
    pub(super) fn auditing(mut self, audited: Audited) -> Self {
        self.audited = audited;
        self
    }

    /// The source and the one that delivers have kept these.
    pub(super) fn keeping(mut self, recorded: Recorded) -> Self {
        self.recorded = recorded;
        self
    }

    /// A person sits at the terminal and answers so.
    pub(super) fn answered(mut self, answer: &'static str) -> Self {
        self.people.answer = Some(answer);
        self
    }

    pub(super) fn answers(&self) -> Option<std::io::Cursor<&'static str>> {
        self.people.answer.map(std::io::Cursor::new)
    }

    /// The service that delivers has these things for people to decide.
    pub(super) fn for_people(mut self, people: People) -> Self {
        self.people = people;
        self
    }

    /// One of the services does not run.
    pub(super) const fn without(mut self, service: &'static str) -> Self {
        self.silent = Some(service);
        self
    }

    pub(super) async fn start(mut self) -> Self {
        let stop = CancellationToken::new();
        for service in ["alerter", "shopify-ingest", "erp-sync"] {
            if self.silent == Some(service) {
                self.peers.push(format!("{service}=http://127.0.0.1:1"));
                continue;
            }
            let listener = grpc::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
            self.peers.push(format!("{service}=http://{}", listener.local_addr().unwrap()));
            tokio::spawn(grpc::serve(listener, self.routes(service), stop.clone()));
        }
        self.stop = Some(Arc::new(stop.drop_guard()));
        self
    }

    fn routes(&self, service: &str) -> Routes {
        let token = RequireToken::new(TOKEN.to_owned().into()).unwrap();
        let fake = Self { stop: None, ..self.clone() };
        let recorded = Recorded { complete_since: self.recorded.complete_since, ..Recorded::default() };
        let idle = Self { recorded, ..Self::default() };
        match service {
            "alerter" => Routes::new(WatchServer::with_interceptor(fake, token.clone()))
                .add_service(DeliveriesServer::with_interceptor(idle, token)),
            "shopify-ingest" => Routes::new(SourceServer::with_interceptor(fake.clone(), token.clone()))
                .add_service(InboxServer::with_interceptor(fake, token)),
            "erp-sync" => Routes::new(SourceServer::with_interceptor(idle, token.clone()))
                .add_service(DeliveriesServer::with_interceptor(fake, token)),
            _ => Routes::new(DeliveriesServer::with_interceptor(fake, token)),
        }
    }

    pub(super) fn people(&self) -> &People {
        &self.people
    }

    pub(super) fn peers(&self) -> String {
        self.peers.join(",")
    }

    /// What was done to deliveries, in order.
    pub(super) fn changes(&self) -> Vec<String> {
        self.changes.lock().unwrap().clone()
    }

    fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.details.iter().filter_map(|detail| detail.delivery.as_ref())
    }

    fn change(&self, what: &str, select: &wire::SelectDeliveriesRequest) -> Answer<wire::ChangedDeliveriesResponse> {
        let matches = |wanted: &str, value: &str| wanted.is_empty() || wanted == value;
        let chosen: Vec<_> = self
            .deliveries()
            .filter(|delivery| delivery.state() == State::Parked)
            .filter(|delivery| matches(&select.system, &delivery.system) && matches(&select.code, &delivery.code))
            .filter(|delivery| select.key.is_none() || select.key == delivery.key)
            .map(|delivery| format!("{what} {}", delivery.name))
            .take(if select.limit > 0 { select.limit as usize } else { usize::MAX })
            .collect();
        let changed = chosen.len() as i64;
        if !select.dry_run {
            self.changes.lock().unwrap().extend(chosen);
        }
        Ok(Response::new(wire::ChangedDeliveriesResponse { changed }))
    }

    fn note(
        &self,
        changed: i64,
        what: &str,
        key: Option<&RecordKey>,
        reason: &str,
    ) -> Answer<wire::ChangedDeliveriesResponse> {
        if changed > 0 {
            let id = key.map_or("", |key| &key.id);
            self.changes.lock().unwrap().push(format!("{what} {id} {reason}").trim_end().to_owned());
        }
        Ok(Response::new(wire::ChangedDeliveriesResponse { changed }))
    }

    fn reports(&self, condition: Condition) -> wire::SystemsResponse {
        let mut systems: Vec<_> = self.deliveries().map(|delivery| delivery.system.clone()).collect();
        systems.dedup();
        let report = |system| SystemReport {
            service: "erp-sync".to_owned(),
            system,
            condition: condition.into(),
            ..SystemReport::default()
        };
        wire::SystemsResponse { systems: systems.into_iter().map(report).collect() }
    }
}
