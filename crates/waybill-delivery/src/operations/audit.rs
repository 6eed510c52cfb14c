//! Applied deliveries compared with what their systems hold, page by page; and written again where that mends them.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use tonic::Status;
use waybill_connector::Failure;
use waybill_domain::{Kind, SystemName};
use waybill_plan::{Plan, Stands};
use waybill_proto::{
    convert::from_timestamp,
    wire::{AuditFinding, AuditRequest, AuditResponse, UnaskedSystem, audit_finding},
};
use waybill_runtime::database;

use super::{delivery, unavailable};
use crate::{
    audit::{Compared, Found, Outcome, What},
    engine::{Engine, Served},
    store::{
        audit::{self, Chosen, Healed},
        claim::Claim,
        roll, systems,
    },
};

const PAGE: i32 = 50;
const MOST: i32 = 200;
/// A page takes so long, whatever it leaves over: who asks for it does not wait for a vendor's limit.
const PAGE_TAKES: Duration = Duration::from_secs(5);

/// Where an audit stands: behind a delivery of a system's kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Cursor {
    system: String,
    kind: String,
    after: i64,
}

impl Cursor {
    fn read(text: &str) -> Result<Self, Status> {
        let unknown = || Status::invalid_argument("'after' is no cursor: send one that was given");
        if text.is_empty() {
            return Ok(Self::default());
        }
        let [system, kind, after] =
            <[&str; 3]>::try_from(text.split('/').collect::<Vec<_>>()).map_err(|_| unknown())?;
        let after = after.parse().map_err(|_| unknown())?;
        Ok(Self { system: system.to_owned(), kind: kind.to_owned(), after })
    }

    fn write(&self) -> String {
        format!("{}/{}/{}", self.system, self.kind, self.after)
    }
}

/// Compares the next deliveries, and has those written again that this mends if that is asked for.
pub(super) async fn page(engine: &Engine, request: AuditRequest) -> Result<AuditResponse, Status> {
    if request.heal && request.actor.is_empty() {
        return Err(Status::invalid_argument("say who heals: give 'actor'"));
    }
    if !request.kind.is_empty() && request.kind.parse::<Kind>().is_err() {
        return Err(Status::invalid_argument(format!("there is no kind '{}'", request.kind)));
    }
    let cursor = Cursor::read(&request.after)?;
    let plan = engine.plan();
    let mut answer = AuditResponse { systems: served(engine), ..AuditResponse::default() };
    if request.after.is_empty() {
        answer.unasked = not_served(engine, &plan, &request);
    }
    let turns = turns(engine, &request);
    let mut at = turns.partition_point(|turn| turn.cursor() < Cursor { after: 0, ..cursor.clone() });
    while let Some(turn) = turns.get(at) {
        let start = turn.cursor();
        let after = if (&start.system, &start.kind) == (&cursor.system, &cursor.kind) { cursor.after } else { 0 };
        match look(engine, &plan, turn, after, &request, &mut answer).await? {
            Looked::Page(last) => {
                (answer.cursor, answer.more) = (Cursor { after: last, ..start }.write(), true);
                return Ok(answer);
            }
            Looked::Wait(wait_ms) => {
                (answer.cursor, answer.more) = (Cursor { after, ..start }.write(), true);
                answer.wait_ms = wait_ms;
                return Ok(answer);
            }
            Looked::Nothing => at += 1,
            Looked::Unasked(reason) => {
                answer.unasked.push(UnaskedSystem { system: start.system.clone(), reason });
                at += turns[at..].iter().take_while(|other| other.served.name == turn.served.name).count();
            }
        }
    }
    Ok(answer)
}

/// One system's records of a kind.
struct Turn<'a> {
    served: &'a Served,
    kind: Kind,
}

impl Turn<'_> {
    fn cursor(&self) -> Cursor {
        Cursor { system: self.served.name.to_string(), kind: self.kind.to_string(), after: 0 }
    }
}

/// What is compared, in the order of cursors.
fn turns<'a>(engine: &'a Engine, request: &AuditRequest) -> Vec<Turn<'a>> {
    let chosen = |name: &SystemName| request.system.is_empty() || request.system == name.as_str();
    let mut turns: Vec<Turn<'a>> = engine
        .served()
        .iter()
        .filter(|served| chosen(&served.name))
        .flat_map(|served| Kind::ALL.into_iter().map(move |kind| Turn { served, kind }))
        .filter(|turn| turn.served.port.takes(turn.kind))
        .filter(|turn| request.kind.is_empty() || request.kind == turn.kind.as_str())
        .collect();
    turns.sort_by_key(Turn::cursor);
    turns
}

fn served(engine: &Engine) -> Vec<String> {
    engine.served().iter().map(|served| served.name.to_string()).collect()
}

/// The systems that are this service's business and no business of the process that answers.
fn not_served(engine: &Engine, plan: &Plan, request: &AuditRequest) -> Vec<UnaskedSystem> {
    let ours = |system: &SystemName| Kind::ALL.into_iter().any(|kind| engine.is_ours(plan, system, kind));
    let served: BTreeSet<&SystemName> = engine.served().iter().map(|served| &served.name).collect();
    plan.systems
        .keys()
        .filter(|system| request.system.is_empty() || request.system == system.as_str())
        .filter(|system| ours(system) && !served.contains(system))
        .map(|system| UnaskedSystem {
            system: system.to_string(),
            reason: "the process that answers does not serve it".to_owned(),
        })
        .collect()
}

/// What became of a turn.
enum Looked {
    /// Up to this delivery.
    Page(i64),
    /// The limit is reached: so many milliseconds.
    Wait(i64),
    /// There is nothing left of it.
    Nothing,
    /// The system cannot be asked.
    Unasked(String),
}

async fn look(
    engine: &Engine,
    plan: &Plan,
    turn: &Turn<'_>,
    after: i64,
    request: &AuditRequest,
    answer: &mut AuditResponse,
) -> Result<Looked, Status> {
    let served = turn.served;
    if let Some(looked) = held_back(engine, &served.name).await.map_err(unavailable)? {
        return Ok(looked);
    }
    let since = request.since.as_ref().map(|since| from_timestamp("since", since)).transpose();
    let since = since.map_err(|error| Status::invalid_argument(error.to_string()))?;
    let chosen = Chosen {
        system: served.name.as_str(),
        kind: turn.kind.as_str(),
        store: &request.store,
        since,
        lag_seconds: served.port.descriptor.find_lag.as_secs_f64(),
    };
    let limit = if request.limit <= 0 { PAGE } else { request.limit.min(MOST) };
    let claims = audit::page(engine.pool(), &chosen, after, i64::from(limit)).await.map_err(unavailable)?;
    let on_their_way = match after {
        0 => audit::on_their_way(engine.pool(), &chosen).await.map_err(unavailable)?,
        _ => 0,
    };
    if claims.is_empty() {
        answer.in_flight += on_their_way;
        return Ok(Looked::Nothing);
    }
    match compare_in_time(engine, plan, turn, claims).await? {
        Ok((compared, last)) => {
            answer.in_flight += on_their_way;
            tell(engine, &served.name, compared, request, answer).await?;
            Ok(Looked::Page(last))
        }
        Err(Failure::RateLimited { retry_after }) => {
            Ok(Looked::Wait(i64::try_from(retry_after.as_millis()).unwrap_or(i64::MAX).max(1)))
        }
        Err(failure) => {
            if let Failure::Unauthorized { message } = &failure {
                systems::unauthorized(engine.pool(), served.name.as_str(), message).await.map_err(unavailable)?;
                engine.report_systems_now();
            }
            Ok(Looked::Unasked(failure.to_string()))
        }
    }
}

/// Compares as many of these as a page's time is likely to allow, at least one: by what the first took, a part of as many
/// as fit into what is left. With the last one's id.
async fn compare_in_time(
    engine: &Engine,
    plan: &Plan,
    turn: &Turn<'_>,
    claims: Vec<Claim>,
) -> Result<Result<(Vec<Compared>, i64), Failure>, Status> {
    let (mut all, mut last, mut many) = (Vec::new(), 0, 1);
    let mut claims = claims.into_iter();
    let began = Instant::now();
    loop {
        let part: Vec<Claim> = claims.by_ref().take(many).collect();
        let Some(end) = part.last().map(|claim| claim.id) else { break };
        let since = Instant::now();
        match engine.compare(plan, turn.served, turn.kind, part).await.map_err(unavailable)? {
            Ok(compared) => all.extend(compared),
            Err(failure) if all.is_empty() => return Ok(Err(failure)),
            // It fails the next page, if it still stands then.
            Err(_) => break,
        }
        last = end;
        let each = since.elapsed() / u32::try_from(many).unwrap_or(u32::MAX);
        let left = PAGE_TAKES.saturating_sub(began.elapsed());
        many = usize::try_from(left.as_micros() / each.as_micros().max(1)).unwrap_or(usize::MAX);
        if many == 0 {
            break;
        }
    }
    Ok(Ok((all, last)))
}

/// Why a system is not asked now, if it is not.
async fn held_back(engine: &Engine, system: &SystemName) -> sqlx::Result<Option<Looked>> {
    let Some(state) = systems::one(engine.pool(), system.as_str()).await? else { return Ok(None) };
    let unasked = |reason: String| Ok(Some(Looked::Unasked(reason)));
    match state.condition.as_str() {
        _ if state.paused => unasked("it is paused".to_owned()),
        "unauthorized" => unasked(format!("its credentials are refused: {}", state.message)),
        "unavailable" => unasked(format!("it does not answer: {}", state.message)),
        _ if state.wait_seconds > 0.0 => {
            #[expect(clippy::cast_possible_truncation, reason = "a wait in milliseconds")]
            let wait_ms = (state.wait_seconds * 1000.0).ceil() as i64;
            Ok(Some(Looked::Wait(wait_ms.max(1))))
        }
        _ => Ok(None),
    }
}

/// Adds what was seen of those that nothing has happened to meanwhile.
async fn tell(
    engine: &Engine,
    system: &SystemName,
    compared: Vec<Compared>,
    request: &AuditRequest,
    answer: &mut AuditResponse,
) -> Result<(), Status> {
    let looked_at: Vec<(i64, i64)> = compared.iter().map(|one| (one.claim.id, one.claim.wake)).collect();
    let unchanged: BTreeSet<i64> =
        audit::unchanged(engine.pool(), &looked_at).await.map_err(unavailable)?.into_iter().collect();
    let mut told: Vec<(i64, Found, bool)> = Vec::new();
    for Compared { claim, outcome } in compared {
        match outcome {
            _ if !unchanged.contains(&claim.id) => answer.in_flight += 1,
            Outcome::LeftOut => answer.left_out += 1,
            Outcome::Seen { found, healed } => {
                answer.compared += 1;
                let heals = request.heal && found.iter().any(|one| one.heals);
                let is_healed = heals && heal(engine, &healed, request).await.map_err(unavailable)?;
                answer.healed += i64::from(is_healed);
                told.extend(found.into_iter().map(|one| (claim.id, one, is_healed)));
            }
        }
    }
    if answer.healed > 0 {
        engine.wake_workers();
    }
    let ids: BTreeSet<i64> = told.iter().map(|(id, ..)| *id).collect();
    let rows = roll::rows(engine.pool(), &ids.into_iter().collect::<Vec<_>>()).await.map_err(unavailable)?;
    for (id, found, is_healed) in told {
        let what = word(found.what);
        engine.metrics().add("waybill_audit_found_total", &[("system", system.as_str()), ("what", what)], 1);
        let row = rows.iter().find(|row| row.id == id);
        answer.findings.push(AuditFinding {
            delivery: row.map(|row| delivery(engine.service(), row)),
            ..wire(found, is_healed, request.values)
        });
    }
    Ok(())
}

async fn heal(engine: &Engine, healed: &Healed, request: &AuditRequest) -> sqlx::Result<bool> {
    let mut transaction = database::begin(engine.pool()).await?;
    let is_healed = audit::heal(&mut transaction, healed, &request.actor, &request.reason).await?;
    transaction.commit().await?;
    Ok(is_healed)
}

const fn word(what: What) -> &'static str {
    match what {
        What::Missing => "missing",
        What::Differs => "differs",
        What::Doubled => "doubled",
        What::Unreadable => "unreadable",
    }
}

fn wire(found: Found, is_healed: bool, values: bool) -> AuditFinding {
    let what = match found.what {
        What::Missing => audit_finding::What::Missing,
        What::Differs => audit_finding::What::Differs,
        What::Doubled => audit_finding::What::Doubled,
        What::Unreadable => audit_finding::What::Unreadable,
    };
    let stands = match found.stands {
        Stands::Ours => audit_finding::Stands::Ours,
        Stands::Theirs => audit_finding::Stands::Theirs,
        Stands::Person => audit_finding::Stands::Person,
    };
    // They may name a person.
    let shown = found.values.filter(|_| values);
    AuditFinding {
        delivery: None,
        what: what.into(),
        role: found.role,
        field: found.field,
        sent: shown.as_ref().map(|(sent, _)| sent.to_text()),
        there: shown.as_ref().map(|(_, there)| there.to_text()),
        owner: found.owner,
        stands: stands.into(),
        heals: found.heals,
        healed: is_healed && found.heals,
        ids: found.ids,
        message: found.message,
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = Cursor { system: "erp".to_owned(), kind: "stock-level".to_owned(), after: 7 };
        assert_eq!(Cursor::read(&cursor.write()).unwrap(), cursor);
        assert_eq!(Cursor::read("").unwrap(), Cursor::default());
        assert!(Cursor::read("erp/7").is_err() && Cursor::read("erp/order/x").is_err());
    }
}
