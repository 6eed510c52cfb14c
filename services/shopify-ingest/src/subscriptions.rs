//! The stores' webhook subscriptions are looked at again and again: Shopify deletes one whose deliveries keep failing
//! (<https://shopify.dev/docs/apps/build/webhooks/subscribe/https>), and people move hosts.

use std::{sync::Arc, time::Duration};

use connector_shopify::setup::Line;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use waybill_connector::Failure;
use waybill_domain::StoreName;

use crate::{
    app::{Shared, Shop},
    retry,
};

const POLL: Duration = Duration::from_secs(1);
const NOT_KNOWN: &str = "where Shopify reaches this service is not known, so that webhook subscriptions are not \
                         audited: set callback_url, or WAYBILL_CALLBACK";

/// How often, and where webhooks are to go.
#[derive(Debug, Clone)]
pub(crate) struct Auditing {
    pub(crate) every: Duration,
    /// Up to and with `/webhooks`; the store's name is appended.
    pub(crate) callback: Option<String>,
}

impl Auditing {
    fn callback(&self, store: &StoreName) -> Option<String> {
        self.callback.as_ref().map(|url| format!("{}/{store}", url.trim_end_matches('/')))
    }
}

/// What an audit came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Audited {
    well: i32,
    repaired: i64,
    message: String,
}

impl Audited {
    fn of(lines: &[Line]) -> Self {
        let mut audited = Self::default();
        let mut missing = Vec::new();
        for line in lines {
            match line {
                Line::Fine(_) => audited.well += 1,
                Line::Done(_) => {
                    audited.well += 1;
                    audited.repaired += 1;
                }
                Line::Missing(text) => missing.push(text.as_str()),
            }
        }
        audited.message = missing.join("; ");
        audited
    }
}

/// Audits until told to stop.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) -> anyhow::Result<()> {
    let stores: Vec<String> = shared.shops.keys().map(ToString::to_string).collect();
    while !stop.is_cancelled() {
        let worked = async {
            begin(shared.ledger.pool(), &stores).await?;
            match claim(shared.ledger.pool(), &stores).await? {
                Some((store, attempts)) => one(&shared, &store, attempts).await.map(|()| true),
                None => Ok(false),
            }
        };
        let worked: sqlx::Result<bool> = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            worked = worked => worked,
        };
        if worked.unwrap_or_else(|error| {
            tracing::warn!(%error, "subscriptions cannot be audited; trying again");
            false
        }) {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    Ok(())
}

async fn one(shared: &Shared, store: &str, attempts: i32) -> sqlx::Result<()> {
    let Ok(name) = store.parse::<StoreName>() else { return Ok(()) };
    let Some(shop) = shared.shops.get(&name) else { return Ok(()) };
    let pool = shared.ledger.pool();
    let every = shared.auditing.every;
    let Some(callback) = shared.auditing.callback(&name) else {
        tracing::warn!(store, NOT_KNOWN);
        let audited = Audited { message: NOT_KNOWN.to_owned(), ..Audited::default() };
        return finish(pool, store, "", &audited, every).await;
    };
    match audit(shared, shop, &name, &callback).await {
        Ok(audited) => finish(pool, store, &callback, &audited, every).await?,
        Err(failure) => {
            tracing::warn!(store, class = failure.class(), %failure, "subscriptions could not be audited");
            let wait = retry::wait(&failure, attempts, fastrand::f64()).min(every);
            fail(pool, store, &failure.to_string(), wait).await?;
        }
    }
    let problems = problems(pool).await?;
    shared.health.remark("webhook subscriptions", (!problems.is_empty()).then(|| problems.join("; ")));
    Ok(())
}

async fn audit(shared: &Shared, shop: &Shop, store: &StoreName, callback: &str) -> Result<Audited, Failure> {
    let lines = shop.api.audit_subscriptions(callback).await?;
    for line in &lines {
        match line {
            Line::Fine(_) => {}
            Line::Done(text) => {
                shared.metrics.add("waybill_subscriptions_repaired_total", &[("store", store.as_str())], 1);
                tracing::warn!(%store, "{text}");
            }
            Line::Missing(text) => tracing::warn!(%store, "{text}"),
        }
    }
    let audited = Audited::of(&lines);
    let missing = lines.iter().filter(|line| matches!(line, Line::Missing(_))).count();
    let missing = missing.try_into().unwrap_or(i64::MAX);
    shared.metrics.set("waybill_subscriptions_missing", &[("store", store.as_str())], missing);
    Ok(audited)
}

async fn begin(pool: &PgPool, stores: &[String]) -> sqlx::Result<()> {
    sqlx::query("insert into subscription_audit (store) select unnest($1::text[]) on conflict do nothing")
        .bind(stores)
        .execute(pool)
        .await?;
    Ok(())
}

/// The store whose audit is due, and how often it failed. Replicas take different ones.
async fn claim(pool: &PgPool, stores: &[String]) -> sqlx::Result<Option<(String, i32)>> {
    sqlx::query_as(
        "with due as (
             select store from subscription_audit
             where store = any($1) and due_at <= now() and (lease_until is null or lease_until < now())
             order by due_at limit 1 for update skip locked
         )
         update subscription_audit a set lease_until = now() + interval '5 minutes'
         from due where a.store = due.store returning a.store, a.attempts",
    )
    .bind(stores)
    .fetch_optional(pool)
    .await
}

async fn finish(pool: &PgPool, store: &str, callback: &str, audited: &Audited, every: Duration) -> sqlx::Result<()> {
    sqlx::query(
        "update subscription_audit set lease_until = null, attempts = 0, audited_at = now(), callback_url = $2, well = $3,
             repaired = repaired + $4, message = $5, due_at = now() + make_interval(secs => $6)
         where store = $1",
    )
    .bind(store)
    .bind(callback)
    .bind(audited.well)
    .bind(audited.repaired)
    .bind(&audited.message)
    .bind(every.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(())
}

async fn fail(pool: &PgPool, store: &str, message: &str, wait: Duration) -> sqlx::Result<()> {
    sqlx::query(
        "update subscription_audit set lease_until = null, attempts = attempts + 1, message = $2,
             due_at = now() + make_interval(secs => $3)
         where store = $1",
    )
    .bind(store)
    .bind(message)
    .bind(wait.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(())
}

async fn problems(pool: &PgPool) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("select store || ': ' || message from subscription_audit where message <> '' order by 1")
        .fetch_all(pool)
        .await
}

#[cfg(test)]
mod tests {
    use connector_shopify::setup::Line;

    use super::Audited;

    #[test]
    fn what_was_repaired_is_well_and_what_is_missing_is_told() {
        let lines = [
            Line::Fine("webhook A".to_owned()),
            Line::Done("webhook B corrected".to_owned()),
            Line::Missing("webhook C: refused".to_owned()),
        ];
        let expected = Audited { well: 2, repaired: 1, message: "webhook C: refused".to_owned() };
        assert_eq!(Audited::of(&lines), expected);
    }
}
