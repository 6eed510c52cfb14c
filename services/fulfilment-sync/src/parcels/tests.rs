use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::PgPool;
use waybill_connector::{
    Failure,
    source::{Parcel, ParcelNews, ParcelPage, ShipmentSource},
};
use waybill_delivery::{Hooks as _, Ledger};
use waybill_domain::{Body, Clock, Kind, ObjectKey, RecordKey, Snapshot};
use waybill_plan::{Connectors, Plan};
use waybill_runtime::{Metrics, database};
use waybill_testkit::{TestDatabase, records::order};

use super::Parcels;
use crate::{SERVICE, migrator, orders::ShippedOrders, unclaimed};

const ORDER: u64 = 1001;

/// Each look at it is a second later than the one before.
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        at(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

/// A shipping system that says what the test wrote down, an answer at a time.
struct Script {
    answers: Mutex<VecDeque<Vec<ParcelNews>>>,
    /// What the service hears while the shipping system is asked.
    heard_meanwhile: Mutex<Vec<Snapshot>>,
    pool: PgPool,
}

#[async_trait]
impl ShipmentSource for Script {
    async fn parcels(&self, _cursor: &str, _since: Timestamp) -> Result<ParcelPage, Failure> {
        let heard = std::mem::take(&mut *self.heard_meanwhile.lock().unwrap());
        hear(&self.pool, &heard).await;
        let parcels = self.answers.lock().unwrap().pop_front().unwrap_or_default();
        Ok(ParcelPage { parcels, cursor: "the end".to_owned(), more: false })
    }
}

async fn hear(pool: &PgPool, snapshots: &[Snapshot]) {
    let plan = Plan::parse(
        "[stores.main]\nshop = \"main.myshopify.com\"\nsystem = \"shop\"\nwebhook_secrets = [\"env:NONE\"]\n
         [systems.shop]\nconnector = \"shopify\"\n",
        Connectors::Some(&[]),
    );
    let mut db = pool.acquire().await.unwrap();
    ShippedOrders.heard(&plan.unwrap(), &mut db, snapshots).await.unwrap();
}

/// The service's own schema in a database of the test's own, and who asks a shipping system for parcels.
struct Desk {
    parcels: Parcels,
    script: Arc<Script>,
    pool: PgPool,
    _database: TestDatabase,
}

impl Desk {
    /// `None` after a skip line.
    async fn open() -> Option<Self> {
        let database = tokio::task::spawn_blocking(TestDatabase::create).await.unwrap()?;
        let admin = database.url().expose();
        // Roles belong to the whole cluster, which tests share: one password for all.
        let url = database::provision(&admin, SERVICE, "waybill-test", &migrator()).await.unwrap();
        let pool = database::pool(&url, 4).unwrap();
        let script =
            Arc::new(Script { answers: Mutex::default(), heard_meanwhile: Mutex::default(), pool: pool.clone() });
        let clock = Arc::new(Ticking(AtomicI64::new(0)));
        let parcels = Parcels::new("shipping".parse().unwrap(), script.clone(), Ledger::new(pool.clone()), clock);
        Some(Self { parcels, script, pool, _database: database })
    }

    /// Asks the shipping system, which tells these parcels. Gives how many records changed.
    async fn ask(&self, answer: &[ParcelNews]) -> usize {
        self.script.answers.lock().unwrap().push_back(answer.to_vec());
        self.parcels.ask().await.unwrap()
    }

    async fn hear(&self, snapshot: Snapshot) {
        hear(&self.pool, &[snapshot]).await;
    }

    /// The number of the parcel's newest revision, if that is what this news says.
    async fn says(&self, news: &ParcelNews) -> Option<i64> {
        let shipment = news.clone().into_shipment(ORDER.into(), format!("#{ORDER}")).unwrap();
        sqlx::query_scalar("select number from record where kind = 'shipment' and record_id = $1 and content_hash = $2")
            .bind(&news.parcel.id)
            .bind(Body::Shipment(shipment).content_hash().as_slice())
            .fetch_optional(&self.pool)
            .await
            .unwrap()
    }

    async fn kept(&self) -> Vec<String> {
        sqlx::query_scalar("select parcel_id from unclaimed_parcel order by 1").fetch_all(&self.pool).await.unwrap()
    }
}

fn snapshot() -> Snapshot {
    order(ORDER).paid().with_line("TEE-M", 1, "24.00").at_revision(1)
}

fn key() -> String {
    let order = RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: ORDER.into() };
    ObjectKey::new(&order, "order").to_string()
}

fn label(id: &str, order_key: &str) -> ParcelNews {
    let parcel = Parcel {
        id: id.to_owned(),
        carrier: "UPS".to_owned(),
        tracking_number: format!("1Z-{id}"),
        tracking_url: String::new(),
        shipped_at: Some(at(0)),
        voided: false,
        lines: Vec::new(),
    };
    ParcelNews { order_key: order_key.to_owned(), parcel }
}

fn voided(mut news: ParcelNews) -> ParcelNews {
    news.parcel.voided = true;
    news
}

#[tokio::test]
async fn a_parcel_that_is_told_before_its_order_is_heard_comes_once_it_is() {
    let Some(desk) = Desk::open().await else { return };
    let bought = label("se-1", &key());
    assert_eq!(desk.ask(std::slice::from_ref(&bought)).await, 0);
    assert_eq!(desk.says(&bought).await, None, "nobody knows whose it is");
    desk.hear(snapshot()).await;
    // The cursor has passed it: it is not told again.
    assert_eq!(desk.ask(&[]).await, 1);
    assert_eq!(desk.says(&bought).await, Some(1));
    assert_eq!(desk.kept().await, [""; 0]);
    assert_eq!(desk.ask(&[]).await, 0);
}

#[tokio::test]
async fn of_a_kept_parcel_the_newest_news_counts() {
    let Some(desk) = Desk::open().await else { return };
    let bought = label("se-1", &key());
    desk.ask(std::slice::from_ref(&bought)).await;
    desk.ask(&[voided(bought.clone())]).await;
    // Another replica, whose question was asked before.
    unclaimed::keep(&desk.pool, &desk.parcels.system, &bought, at(0)).await.unwrap();
    desk.hear(snapshot()).await;
    assert_eq!(desk.ask(&[]).await, 1);
    assert_eq!(desk.says(&voided(bought)).await, Some(1));
}

#[tokio::test]
async fn an_older_news_that_was_kept_does_not_undo_a_newer_one() {
    let Some(desk) = Desk::open().await else { return };
    let bought = label("se-1", &key());
    desk.ask(std::slice::from_ref(&bought)).await;
    // The order is heard just before the parcel is told again, so that the older news is still kept.
    desk.script.heard_meanwhile.lock().unwrap().push(snapshot());
    assert_eq!(desk.ask(&[voided(bought.clone())]).await, 1);
    assert_eq!(desk.kept().await, ["se-1"]);
    assert_eq!(desk.ask(&[]).await, 0);
    assert_eq!(desk.says(&voided(bought)).await, Some(1));
    assert_eq!(desk.kept().await, [""; 0]);
}

#[tokio::test]
async fn what_was_told_of_a_kept_parcel_while_it_was_taken_stays() {
    let Some(desk) = Desk::open().await else { return };
    let (bought, system) = (label("se-1", &key()), &desk.parcels.system);
    desk.ask(std::slice::from_ref(&bought)).await;
    desk.hear(snapshot()).await;
    let claimed = unclaimed::of_known_orders(&desk.pool, system).await.unwrap();
    unclaimed::keep(&desk.pool, system, &voided(bought.clone()), at(100)).await.unwrap();
    let mut db = desk.pool.acquire().await.unwrap();
    unclaimed::forget(&mut db, system, &claimed[0]).await.unwrap();
    assert_eq!(desk.ask(&[]).await, 1);
    assert_eq!(desk.says(&voided(bought)).await, Some(1));
}

#[tokio::test]
async fn a_parcel_of_somebody_elses_order_is_not_kept() {
    let Some(desk) = Desk::open().await else { return };
    desk.ask(&[label("se-1", "manual-1"), label("se-2", ""), label("se-3", &key())]).await;
    assert_eq!(desk.kept().await, ["se-3"]);
}

#[tokio::test]
async fn a_parcel_with_odd_words_is_kept_too() {
    let Some(desk) = Desk::open().await else { return };
    let mut odd = label("se-1", &key());
    odd.parcel.tracking_number = "1Z\0ß\u{FFFD}".to_owned();
    desk.ask(std::slice::from_ref(&odd)).await;
    desk.hear(snapshot()).await;
    desk.ask(&[]).await;
    assert_eq!(desk.says(&odd).await, Some(1));
}

#[tokio::test]
async fn a_kept_parcel_that_cannot_be_read_is_in_nobodys_way() {
    let Some(desk) = Desk::open().await else { return };
    desk.ask(&[label("se-1", &key()), label("se-2", &key())]).await;
    sqlx::query("update unclaimed_parcel set news = '{}' where parcel_id = 'se-1'").execute(&desk.pool).await.unwrap();
    desk.hear(snapshot()).await;
    let next = label("se-3", &key());
    assert_eq!(desk.ask(std::slice::from_ref(&next)).await, 2);
    assert_eq!((desk.says(&label("se-2", &key())).await, desk.says(&next).await), (Some(1), Some(1)));
    assert_eq!(desk.kept().await, ["se-1"], "it is told of each time, and not dropped");
}

#[tokio::test]
async fn what_nobody_claimed_for_90_days_goes() {
    let Some(desk) = Desk::open().await else { return };
    desk.ask(&[label("se-1", &key()), label("se-2", &key())]).await;
    for (parcel, days) in [("se-1", 91), ("se-2", 89)] {
        sqlx::query("update unclaimed_parcel set kept_at = now() - make_interval(days => $2) where parcel_id = $1")
            .bind(parcel)
            .bind(days)
            .execute(&desk.pool)
            .await
            .unwrap();
    }
    unclaimed::prune(&desk.pool, &Metrics::default()).await.unwrap();
    assert_eq!(desk.kept().await, ["se-2"]);
}
