//! A person's word before a record is written for the first time.

use std::time::Duration;

use prost::Message as _;
use tonic::Status;
use waybill_domain::{Body, Kind, Money, Snapshot, StoreName, SystemName};
use waybill_plan::Plan;
use waybill_proto::wire::{
    self, ApproveRequest, ListApprovalsRequest, ListApprovalsResponse, RefuseRequest, list_approvals_response::Approval,
};
use waybill_runtime::database;

use super::{delivery, time, unavailable};
use crate::{
    engine::Engine,
    store::approvals::{self, Place, Waiting, Word},
};

/// How long a refusal waits for a delivery that is just decided anew.
const JUST_DECIDED: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Lists what waits for a person.
pub(super) async fn list(engine: &Engine, request: ListApprovalsRequest) -> Result<ListApprovalsResponse, Status> {
    let limit = if request.limit <= 0 { 1000 } else { request.limit.min(1000) };
    let key = request.key.unwrap_or_default();
    let place = Place { system: request.system, store: key.store, kind: key.kind, id: key.id };
    let pool = engine.pool();
    let waiting =
        approvals::list(pool, &place, i64::from(limit), i64::from(request.offset.max(0))).await.map_err(unavailable)?;
    let total = approvals::count(pool, &place).await.map_err(unavailable)?;
    let plan = engine.plan();
    let approvals = waiting.iter().map(|waiting| approval(engine.service(), &plan, waiting)).collect();
    Ok(ListApprovalsResponse { approvals, total })
}

fn approval(service: &str, plan: &Plan, waiting: &Waiting) -> Approval {
    let row = &waiting.row;
    let names = (row.store.parse::<StoreName>(), row.kind.parse::<Kind>(), row.system.parse::<SystemName>());
    let flow = match &names {
        (Ok(store), Ok(kind), Ok(system)) => plan.flow(store, *kind, system),
        _ => None,
    };
    Approval {
        delivery: Some(delivery(service, row)),
        flow: flow.map(|flow| flow.name.clone()).unwrap_or_default(),
        condition: flow.and_then(|flow| flow.approval_condition()).unwrap_or_default().to_owned(),
        since: row.first_unapplied_us.and_then(time),
        total: total(&waiting.desired).map(|total| total.to_string()).unwrap_or_default(),
    }
}

/// What a record comes to, in the shop's currency.
fn total(snapshot: &[u8]) -> Option<Money> {
    let snapshot = Snapshot::try_from(wire::Snapshot::decode(snapshot).ok()?).ok()?;
    match snapshot.body? {
        Body::Order(order) => Some(order.totals.current_total.shop),
        Body::Refund(refund) => refund.refunded.map(|refunded| refunded.shop),
        Body::Customer(_)
        | Body::Product(_)
        | Body::StockLevel(_)
        | Body::Price(_)
        | Body::InventoryLevel(_)
        | Body::Fulfilment(_)
        | Body::Shipment(_)
        | Body::Incident(_) => None,
    }
}

/// A person's word, once it is complete.
struct Given {
    place: Place,
    word: Word,
    seen: Option<(i64, i64)>,
}

impl Given {
    fn read(
        system: String,
        key: Option<wire::RecordKey>,
        actor: String,
        reason: String,
        seen: Option<wire::Revision>,
    ) -> Result<Self, Status> {
        let key = key.ok_or_else(|| Status::invalid_argument("'key' is missing: a word is given for one record"))?;
        if system.is_empty() || actor.is_empty() {
            return Err(Status::invalid_argument("give 'system', and who says so in 'actor'"));
        }
        Ok(Self {
            place: Place { system, store: key.store, kind: key.kind, id: key.id },
            word: Word { actor, reason },
            seen: seen.map(|seen| (seen.epoch, seen.number)),
        })
    }

    /// Why nothing came of it: the record may have changed since the person saw it.
    async fn why_not(&self, engine: &Engine) -> Result<i64, Status> {
        let waiting = approvals::list(engine.pool(), &self.place, 1, 0).await.map_err(unavailable)?;
        let changed = waiting
            .first()
            .zip(self.seen)
            .is_some_and(|(waiting, seen)| (waiting.row.desired_epoch, waiting.row.desired_number) != seen);
        if changed {
            return Err(Status::failed_precondition("the record has changed since it was looked at: look again"));
        }
        Ok(0)
    }
}

/// Lets one record go.
pub(super) async fn approve(engine: &Engine, request: ApproveRequest) -> Result<i64, Status> {
    let given = Given::read(request.system, request.key, request.actor, request.reason, request.seen)?;
    let approved =
        approvals::approve(engine.pool(), &given.place, &given.word, given.seen).await.map_err(unavailable)?;
    if approved == 0 {
        return given.why_not(engine).await;
    }
    engine.wake_workers();
    Ok(1)
}

/// Keeps one record away.
pub(super) async fn refuse(engine: &Engine, request: RefuseRequest) -> Result<i64, Status> {
    let given = Given::read(request.system, request.key, request.actor, request.reason, request.seen)?;
    if given.word.reason.is_empty() {
        return Err(Status::invalid_argument("a refusal needs a reason: give 'reason'"));
    }
    let look = async {
        while !engine.refuse(&given).await.map_err(unavailable)? {
            // A worker may hold it for a moment, to decide it anew.
            if approvals::count(engine.pool(), &given.place).await.map_err(unavailable)? == 0 {
                return given.why_not(engine).await;
            }
            given.why_not(engine).await?;
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(1)
    };
    tokio::time::timeout(JUST_DECIDED, look)
        .await
        .unwrap_or_else(|_| Err(Status::unavailable("the delivery is just being decided; try again")))
}

impl Engine {
    async fn refuse(&self, given: &Given) -> sqlx::Result<bool> {
        let Given { place, word, seen } = given;
        let mut transaction = database::begin(self.pool()).await?;
        let plan_hash = self.plan().hash.clone();
        let refused = approvals::refuse(&mut transaction, place, &word.reason, &plan_hash, *seen).await?;
        let Some(id) = refused else { return Ok(false) };
        self.ended_by_person(&mut transaction, id, place, "refuse", word).await?;
        transaction.commit().await?;
        self.wake_outbox();
        Ok(true)
    }
}
