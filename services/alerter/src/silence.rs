//! Stores that sell less than is usual at this time of day: the likeliest reason is that orders do not reach us.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use sqlx::{PgConnection, types::Json};
use waybill_domain::StoreName;
use waybill_plan::{Expected, Plan};

use crate::incidents::Cause;

/// Orders are counted over so long a time.
const COUNTED: SignedDuration = SignedDuration::from_hours(1);
/// A watch that has just started catches up first.
const CATCHES_UP: SignedDuration = SignedDuration::from_secs(120);
/// The code of these incidents.
const SILENCE: &str = "silence";

/// Stores that are silent now.
pub(crate) async fn causes(
    db: &mut PgConnection,
    plan: &Plan,
    started_at: Timestamp,
    now: Timestamp,
) -> anyhow::Result<Vec<Cause>> {
    let expected = note_expected(db, plan, now).await?;
    if expected.is_empty() {
        return Ok(Vec::new());
    }
    let accepted = accepted(db, now).await?;
    let mut silent: Vec<Cause> = Vec::new();
    for (store, since) in &expected {
        if now.duration_since(*since) < COUNTED {
            continue;
        }
        let orders = accepted.get(store.as_str()).copied().unwrap_or(0);
        let mine = plan.expected.iter().filter(|expected| covers(expected, store));
        silent.extend(mine.filter_map(|expected| judge(expected, store, orders, now)).next());
    }
    if now.duration_since(started_at) < CATCHES_UP {
        let open: Vec<String> =
            sqlx::query_scalar("select system from incident where code = $1 and resolved_at is null")
                .bind(SILENCE)
                .fetch_all(db)
                .await?;
        silent.retain(|cause| open.contains(&cause.system));
    }
    Ok(silent)
}

fn covers(expected: &Expected, store: &StoreName) -> bool {
    expected.stores.is_empty() || expected.stores.contains(store)
}

/// Whether fewer orders were accepted in the last hour than are usual now.
fn judge(expected: &Expected, store: &StoreName, orders: i64, now: Timestamp) -> Option<Cause> {
    let began = window(expected, now)?;
    if now.duration_since(began) < COUNTED || orders >= i64::from(expected.orders_per_hour) {
        return None;
    }
    let Expected { from, to, zone, orders_per_hour, .. } = expected;
    let zone = zone.iana_name().unwrap_or("local time");
    let one = if orders == 1 { "1 order".to_owned() } else { format!("{orders} orders") };
    Some(Cause {
        // A page has one place for what it is about.
        system: store.to_string(),
        code: SILENCE.to_owned(),
        detail: format!(
            "{one} in the last 60 minutes; at least {orders_per_hour} an hour are usual from {} to {} ({zone})",
            from.strftime("%H:%M"),
            to.strftime("%H:%M")
        ),
        count: 0,
        records: Json(Vec::new()),
        first_us: now.as_microsecond(),
    })
}

/// When the window that is open now began.
fn window(expected: &Expected, now: Timestamp) -> Option<Timestamp> {
    let today = now.to_zoned(expected.zone.clone()).date();
    // One that ends on the next day may have begun yesterday.
    [today, today.yesterday().ok()?].into_iter().find_map(|day| {
        let ends_on = if expected.to > expected.from { day } else { day.checked_add(1.day()).ok()? };
        let at = |day: jiff::civil::Date, time| day.to_datetime(time).to_zoned(expected.zone.clone());
        let (from, to) = (at(day, expected.from).ok()?.timestamp(), at(ends_on, expected.to).ok()?.timestamp());
        (from <= now && now < to).then_some(from)
    })
}

/// The stores of which something is expected, and since when: what was accepted before nobody counted.
async fn note_expected(
    db: &mut PgConnection,
    plan: &Plan,
    now: Timestamp,
) -> anyhow::Result<BTreeMap<StoreName, Timestamp>> {
    let stores: Vec<&StoreName> =
        plan.stores.keys().filter(|store| plan.expected.iter().any(|expected| covers(expected, store))).collect();
    let names: Vec<String> = stores.iter().map(ToString::to_string).collect();
    sqlx::query("delete from store_expected where store <> all($1)").bind(&names).execute(&mut *db).await?;
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "with new as (
             insert into store_expected (store, since) select unnest($1::text[]), $2::timestamptz
             on conflict do nothing
             returning store, since
         )
         select store, (extract(epoch from since) * 1000000)::bigint from new
         union select store, (extract(epoch from since) * 1000000)::bigint from store_expected",
    )
    .bind(&names)
    .bind(now.to_string())
    .fetch_all(db)
    .await?;
    let since =
        |store: &StoreName| rows.iter().find(|row| row.0 == store.as_str()).map_or(now.as_microsecond(), |row| row.1);
    stores.into_iter().map(|store| Ok((store.clone(), Timestamp::from_microsecond(since(store))?))).collect()
}

/// Store → new orders accepted in the last hour.
async fn accepted(db: &mut PgConnection, now: Timestamp) -> sqlx::Result<BTreeMap<String, i64>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "select store, count(*) from waybill
         where arrived_at > $1::timestamptz and arrived_at <= $2::timestamptz group by store",
    )
    .bind((now - COUNTED).to_string())
    .bind(now.to_string())
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, civil::time, tz::TimeZone};
    use waybill_plan::Expected;

    use super::{judge, window};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Vienna is an hour ahead of UTC in November.
    fn ten_an_hour(from: i8, to: i8) -> Expected {
        Expected {
            stores: Vec::new(),
            from: time(from, 0, 0, 0),
            to: time(to, 0, 0, 0),
            zone: TimeZone::get("Europe/Vienna").unwrap(),
            orders_per_hour: 10,
        }
    }

    fn is_silent(expected: &Expected, orders: i64, now: &str) -> bool {
        judge(expected, &"main".parse().unwrap(), orders, at(now)).is_some()
    }

    #[test]
    fn fewer_than_usual_is_silence_once_an_hour_of_the_window_has_passed() {
        let day = ten_an_hour(8, 20);
        assert!(!is_silent(&day, 0, "2026-11-21T07:59:59Z"), "the window is open for less than an hour");
        assert!(is_silent(&day, 9, "2026-11-21T08:00:00Z"));
        assert!(!is_silent(&day, 10, "2026-11-21T08:00:00Z"));
        assert!(is_silent(&day, 0, "2026-11-21T18:59:59Z"));
        assert!(!is_silent(&day, 0, "2026-11-21T19:00:00Z"), "the window has closed");
    }

    #[test]
    fn a_window_over_midnight_is_one() {
        let night = ten_an_hour(22, 2);
        assert_eq!(window(&night, at("2026-11-21T23:30:00Z")), Some(at("2026-11-21T21:00:00Z")));
        assert_eq!(window(&night, at("2026-11-22T00:30:00Z")), Some(at("2026-11-21T21:00:00Z")));
        assert_eq!(window(&night, at("2026-11-22T01:00:00Z")), None);
        assert_eq!(window(&night, at("2026-11-21T20:59:00Z")), None);
    }

    #[test]
    fn what_is_told_says_how_many_and_what_is_usual() {
        let cause = judge(&ten_an_hour(8, 20), &"main".parse().unwrap(), 1, at("2026-11-21T12:00:00Z")).unwrap();
        let told = "1 order in the last 60 minutes; at least 10 an hour are usual from 08:00 to 20:00 (Europe/Vienna)";
        assert_eq!((cause.system.as_str(), cause.detail.as_str()), ("main", told));
    }
}
