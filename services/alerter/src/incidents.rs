//! Causes become incidents, incidents become pages.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use sqlx::{PgConnection, types::Json};
use waybill_delivery::Engine;
use waybill_domain::{
    Body, Clock, Kind, ObjectKey, RecordKey, Revision, Snapshot, SystemName, cause,
    document::{IncidentDocument, Severity},
};
use waybill_plan::{Pager, Plan};
use waybill_runtime::database;

use crate::{
    hearing::{Hearing, Hears},
    lateness, plans, silence, standing,
};

/// What is wrong now, by one cause.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Cause {
    /// Empty if it is about no system; a silence's store.
    pub(crate) system: String,
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) count: i64,
    pub(crate) records: Json<Vec<String>>,
    pub(crate) first_us: i64,
}

/// What is made of others' silence, or of messages that are missing: a watch that hears nobody neither opens nor resolves
/// it.
const BY_SILENCE: [&str; 3] = ["unheard", "unserved", "gap"];

/// Incidents are the business's, not one store's.
const STORE: &str = "waybill";

/// Opens, updates and resolves incidents by what is wrong now.
pub(crate) async fn sweep(sweeper: &Sweeper) -> anyhow::Result<()> {
    let Sweeper { engine, started_at, public_url, .. } = sweeper;
    let plan = engine.plan();
    let mut transaction = database::begin(engine.pool()).await?;
    // Only now: without the database it has not looked, and kept nothing of what it heard.
    let now = sweeper.clock.now();
    let hears = sweeper.hearing.look(now);
    // One replica sweeps at a time.
    let mine: bool =
        sqlx::query_scalar("select pg_try_advisory_xact_lock(7729002)").fetch_one(&mut *transaction).await?;
    if !mine {
        return Ok(());
    }
    let causes = causes(&mut transaction, &plan, *started_at, now, hears).await?;
    let mut changed = false;
    for cause in causes.values() {
        changed |= open(engine, &plan, &mut transaction, cause, public_url).await?;
    }
    let unsure: &[&str] = match hears {
        Hears::Well if standing::counted_lately(&mut transaction).await? => &[],
        Hears::Well => &["gap"],
        Hears::Lately | Hears::Nobody(_) => &BY_SILENCE,
    };
    changed |= resolve(engine, &plan, &mut transaction, &causes, unsure, public_url).await?;
    note_paged(&mut transaction).await?;
    transaction.commit().await?;
    if changed {
        engine.wake_workers();
    }
    Ok(())
}

async fn causes(
    db: &mut PgConnection,
    plan: &Plan,
    started_at: Timestamp,
    now: Timestamp,
    hears: Hears,
) -> anyhow::Result<BTreeMap<(String, String), Cause>> {
    let mut found: Vec<Cause> = sqlx::query_as(
        "select system, code, max(message) as detail, count(*) as count,
             to_jsonb((array_agg(store || '/' || kind || '/' || record_id order by settled_at))[1:5]) as records,
             (extract(epoch from min(coalesce(settled_at, changed_at))) * 1000000)::bigint as first_us
         from line where state = 'parked' group by system, code
         union all
         select system, dead_code, max(dead_message), count(*),
             to_jsonb((array_agg(store || '/' || kind || '/' || record_id order by dead_at))[1:5]),
             (extract(epoch from min(dead_at)) * 1000000)::bigint
         from line where dead_at < now() - interval '20 seconds' and state <> 'parked' group by system, dead_code
         union all
         select system, case condition when 'asking' then 'first_run' else condition end, max(message), 0, '[]'::jsonb,
             (extract(epoch from min(since)) * 1000000)::bigint
         from system_seen
         where condition in ('unauthorized', 'unavailable', 'asking') and seen_at > now() - interval '45 seconds'
         group by system, condition
         union all
         select service, 'unreachable', '', 0, '[]'::jsonb, (extract(epoch from since) * 1000000)::bigint
         from unreachable
         where seen_at > now() - interval '3 minutes' and since < now() - interval '30 seconds'",
    )
    // Planned for the lines that there are, and not for those of a minute ago.
    .persistent(false)
    .fetch_all(&mut *db)
    .await?;
    found.extend(lateness::causes(db, plan, now).await?);
    found.extend(silence::causes(db, plan, started_at, now).await?);
    match hears {
        Hears::Well => {
            found.extend(standing::causes(db).await?);
            found.extend(unserved(db, plan, now).await?);
        }
        Hears::Lately => {}
        // Another replica of the watch may hear.
        Hears::Nobody(_) if heard_lately(db).await? => {}
        Hears::Nobody(since) => found.push(Cause {
            system: String::new(),
            code: "unheard".to_owned(),
            detail: String::new(),
            count: 0,
            records: Json(Vec::new()),
            first_us: since.as_microsecond(),
        }),
    }
    found.extend(plans::causes(db, now).await?);
    let mut causes: BTreeMap<(String, String), Cause> = BTreeMap::new();
    for cause in found {
        causes
            .entry((cause.system.clone(), cause.code.clone()))
            .and_modify(|known| {
                known.count += cause.count;
                known.first_us = known.first_us.min(cause.first_us);
                known.records.0.extend(cause.records.0.iter().cloned());
                known.records.0.truncate(5);
            })
            .or_insert(cause);
    }
    Ok(causes)
}

async fn heard_lately(db: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar("select exists (select from system_seen where seen_at > now() - interval '45 seconds')")
        .fetch_one(db)
        .await
}

/// Systems of the plan that nobody has said to serve for 45 s.
async fn unserved(db: &mut PgConnection, plan: &Plan, now: Timestamp) -> sqlx::Result<Vec<Cause>> {
    let seen: Vec<String> =
        sqlx::query_scalar("select distinct system from system_seen where seen_at > now() - interval '45 seconds'")
            .fetch_all(db)
            .await?;
    let wanted = plan.flows.iter().map(|flow| &flow.to).chain(plan.pagers.iter().map(|pager| &pager.system));
    let mut missing: Vec<String> = wanted.map(ToString::to_string).filter(|system| !seen.contains(system)).collect();
    missing.sort();
    missing.dedup();
    Ok(missing
        .into_iter()
        .map(|system| Cause {
            system,
            code: "unserved".to_owned(),
            detail: String::new(),
            count: 0,
            records: Json(Vec::new()),
            first_us: now.as_microsecond(),
        })
        .collect())
}

fn severity(code: &str) -> Severity {
    match code {
        "unauthorized" | "unserved" | "gap" | "unheard" | "unreachable" => Severity::Critical,
        "late" | "unavailable" | "approval_waiting" => Severity::Warning,
        _ => Severity::Error,
    }
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// Opens the incident of a cause, or brings its numbers up to date. Tells whether something is to be paged.
async fn open(
    engine: &Engine,
    plan: &Plan,
    db: &mut PgConnection,
    cause: &Cause,
    public_url: &str,
) -> anyhow::Result<bool> {
    let (id, new): (i64, bool) = sqlx::query_as(
        "insert into incident as i (system, code, severity, detail, count, records, first_at)
         values ($1, $2, $3, $4, $5, $6, to_timestamp($7::double precision / 1000000))
         on conflict (system, code) where resolved_at is null do update
             set detail = excluded.detail, count = excluded.count, records = excluded.records
         returning id, (xmax = 0)",
    )
    .bind(&cause.system)
    .bind(&cause.code)
    .bind(severity_word(severity(&cause.code)))
    .bind(&cause.detail)
    .bind(cause.count)
    .bind(&cause.records)
    .bind(cause.first_us)
    .fetch_one(&mut *db)
    .await?;
    if new {
        tracing::warn!(
            incident = id,
            system = cause.system,
            code = cause.code,
            count = cause.count,
            "an incident opened"
        );
        page(engine, plan, db, id, public_url).await?;
    }
    Ok(new)
}

/// Resolves incidents whose cause is gone, but none of those codes of which that cannot be told now.
async fn resolve(
    engine: &Engine,
    plan: &Plan,
    db: &mut PgConnection,
    causes: &BTreeMap<(String, String), Cause>,
    unsure: &[&str],
    public_url: &str,
) -> anyhow::Result<bool> {
    let open: Vec<(i64, String, String)> =
        sqlx::query_as("select id, system, code from incident where resolved_at is null").fetch_all(&mut *db).await?;
    let mut changed = false;
    for (id, system, code) in open {
        if unsure.contains(&code.as_str()) || causes.contains_key(&(system.clone(), code.clone())) {
            continue;
        }
        sqlx::query("update incident set resolved_at = now(), revision = revision + 1 where id = $1")
            .bind(id)
            .execute(&mut *db)
            .await?;
        tracing::info!(incident = id, system, code, "an incident is resolved");
        page(engine, plan, db, id, public_url).await?;
        changed = true;
    }
    Ok(changed)
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    system: String,
    code: String,
    detail: String,
    count: i64,
    records: Json<Vec<String>>,
    opened_us: i64,
    resolved: bool,
    revision: i64,
}

/// Wants the incident at every pager of the plan.
async fn page(engine: &Engine, plan: &Plan, db: &mut PgConnection, id: i64, public_url: &str) -> anyhow::Result<()> {
    let row: Row = sqlx::query_as(
        "select system, code, detail, count, records, (extract(epoch from opened_at) * 1000000)::bigint as opened_us,
             resolved_at is not null as resolved, revision
         from incident where id = $1",
    )
    .bind(id)
    .fetch_one(&mut *db)
    .await?;
    let key = RecordKey { store: STORE.parse()?, kind: Kind::Incident, id: format!("incident-{id}").parse()? };
    let opened_at = Timestamp::from_microsecond(row.opened_us)?;
    let incident = document(ObjectKey::new(&key, "incident"), &row, opened_at, id, public_url);
    // Whoever was told of it is told that it is over, too: its severity does not change.
    let tells = |pager: &&Pager| incident.severity.at_least(pager.from);
    let pagers: Vec<SystemName> = plan.pagers.iter().filter(tells).map(|pager| pager.system.clone()).collect();
    let snapshot = Snapshot {
        key,
        revision: Revision { epoch: 1, number: row.revision },
        observed_at: opened_at,
        body: Some(Body::Incident(Box::new(incident))),
    };
    engine.want(db, &pagers, &snapshot, &waybill_runtime::trace_context::current()).await?;
    Ok(())
}

fn document(key: ObjectKey, row: &Row, opened_at: Timestamp, id: i64, public_url: &str) -> IncidentDocument {
    let known = cause::of(&row.code);
    let title = known.map_or("A system refuses records", |cause| cause.title);
    let meaning =
        known.map_or("The vendor refused these records; its own words are in the detail.", |cause| cause.meaning);
    let action = known
        .map_or("Look at `waybill parked list`, mend the cause, then `waybill parked retry`.", |cause| cause.action);
    let records = match row.count {
        0 => String::new(),
        1 => " (1 record)".to_owned(),
        count => format!(" ({count} records)"),
    };
    let system = if row.system.is_empty() { String::new() } else { format!("{}: ", row.system) };
    let summary: String = format!("{system}{title}{records} [{}]", row.code).chars().take(1024).collect();
    IncidentDocument {
        key,
        resolved: row.resolved,
        severity: severity(&row.code),
        summary,
        meaning: meaning.to_owned(),
        action: action.to_owned(),
        system: row.system.clone(),
        code: row.code.clone(),
        detail: row.detail.clone(),
        count: row.count,
        records: row.records.0.clone(),
        opened_at,
        link: if public_url.is_empty() { String::new() } else { format!("{public_url}/incidents#incident-{id}") },
    }
}

/// Notes when the first pager accepted an incident.
async fn note_paged(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(
        "update incident i set paged_at = d.first
         from (
             select record_id, min(s.finished_at) as first
             from delivery d join step s on s.delivery_id = d.id and s.state = 'done'
             where d.kind = 'incident' group by record_id
         ) d
         where i.paged_at is null and d.record_id = 'incident-' || i.id",
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Sweeps again and again.
pub(crate) struct Sweeper {
    pub(crate) engine: Arc<Engine>,
    pub(crate) started_at: Timestamp,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) hearing: Arc<Hearing>,
    pub(crate) public_url: String,
}
