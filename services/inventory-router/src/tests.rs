//! What is subtracted from levels: from an order that is heard to the deliveries that are decided anew.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::PgPool;
use tokio::sync::watch;
use waybill_connector::{
    Failure,
    source::{StockReading, StockSource},
};
use waybill_delivery::{Hooks as _, Ledger};
use waybill_domain::{Body, Clock, Kind, RecordKey, Revision, Snapshot};
use waybill_plan::{Connectors, Plan};
use waybill_runtime::database;
use waybill_testkit::{TestDatabase, records::order};

use crate::{SERVICE, facts::StockFacts, levels::Levels, migrator, unheard, vendors};

const SKU: &str = "MUG";
const ORDER: u64 = 1001;

const PLAN: &str = r#"
[stores.main]
shop = "waldgang-main.myshopify.com"
system = "shop"
webhook_secrets = ["env:NONE"]
[systems.shop]
connector = "shopify"
shop = "waldgang-main.myshopify.com"
token = "env:NONE"
[systems.erp]
connector = "tryton"
url = "http://127.0.0.1:1"
database = "waldgang"
user = "waybill"
password = "env:NONE"
[locations.graz]
erp = "graz"
shop = "2"
[locations.vienna]
erp = "vienna"
shop = "1"
[stock]
from = "erp"
quantity = "available"
[[flows]]
name = "stock"
kind = "stock-level"
from = "erp"
to = "shop"
"#;

/// A stock system that holds what the test says, and a clock that stands where the test put it.
struct Shelves {
    readings: Mutex<Vec<StockReading>>,
    now: Mutex<Timestamp>,
}

#[async_trait]
impl StockSource for Shelves {
    async fn stock(&self, _locations: &[String]) -> Result<Vec<StockReading>, Failure> {
        Ok(self.readings.lock().unwrap().clone())
    }
}

impl Clock for Shelves {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }
}

/// The service's own schema in a database of the test's own, and who reads the stock system.
struct Bench {
    plan: Arc<Plan>,
    shelves: Arc<Shelves>,
    levels: Levels,
    pool: PgPool,
    _database: TestDatabase,
}

impl Bench {
    /// The store has the item. `None` after a skip line.
    async fn open() -> Option<Self> {
        let database = tokio::task::spawn_blocking(TestDatabase::create).await.unwrap()?;
        let admin = database.url().expose();
        // Roles belong to the whole cluster, which tests share: one password for all.
        let url = database::provision(&admin, SERVICE, "waybill-test", &migrator()).await.unwrap();
        let pool = database::pool(&url, 4).unwrap();
        sqlx::query("insert into item (store, sku, inventory_item_id) values ('main', $1, '7')")
            .bind(SKU)
            .execute(&pool)
            .await
            .unwrap();
        let plan = Arc::new(Plan::parse(PLAN, Connectors::Some(&vendors::descriptors())).unwrap());
        let shelves = Arc::new(Shelves { readings: Mutex::default(), now: Mutex::new(Timestamp::UNIX_EPOCH) });
        let levels = Levels {
            source: shelves.clone(),
            shops: BTreeMap::new(),
            plan: watch::channel(Arc::clone(&plan)).1,
            ledger: Ledger::new(pool.clone()),
            clock: shelves.clone(),
        };
        Some(Self { plan, shelves, levels, pool, _database: database })
    }

    /// Reads the stock system at a second; it tells these quantities. Gives how much was new.
    async fn read(&self, second: i64, quantities: &[(&str, i64)]) -> usize {
        let reading = |(location, quantity): &(&str, i64)| StockReading {
            item: SKU.to_owned(),
            location: (*location).to_owned(),
            quantity: *quantity,
        };
        *self.shelves.readings.lock().unwrap() = quantities.iter().map(reading).collect();
        *self.shelves.now.lock().unwrap() = Timestamp::from_second(second).unwrap();
        self.levels.read().await.unwrap()
    }

    async fn hear(&self, snapshot: Snapshot) {
        let mut db = self.pool.acquire().await.unwrap();
        StockFacts.heard(&self.plan, &mut db, &[snapshot]).await.unwrap();
    }

    /// The stock system's newest word on the order: its state, the revision that it is about, the one that it holds.
    async fn erp_says(&self, state: &str, said: i64, applied: Option<i64>) {
        sqlx::query(
            "insert into fact (store, kind, record_id, system, state, settlement, said_epoch, said_number,
                 applied_epoch, applied_number)
             values ('main', 'order', $1, 'erp', $2, 1, 1, $3, case when $4::bigint is not null then 1 end, $4)
             on conflict (store, kind, record_id, system) do update
                 set state = excluded.state, said_number = excluded.said_number,
                     applied_epoch = excluded.applied_epoch, applied_number = excluded.applied_number",
        )
        .bind(ORDER.to_string())
        .bind(state)
        .bind(said)
        .bind(applied)
        .execute(&self.pool)
        .await
        .unwrap();
    }

    async fn held_back(&self) -> i64 {
        sqlx::query_scalar("select units from held_back where store = 'main' and sku = $1")
            .bind(SKU)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// Reads once more, a second after the last time. Gives the units that are held back then.
    async fn held_back_now(&self) -> i64 {
        let second = self.shelves.now.lock().unwrap().as_second() + 1;
        self.read(second, &[("vienna", 5)]).await;
        self.held_back().await
    }

    /// The orders that would be asked about now, those of which nothing is known and the others; then they are.
    async fn asked_about(&self) -> (Vec<String>, Vec<String>) {
        let erp = "erp".parse().unwrap();
        let mut asked = Vec::new();
        for orders in [
            unheard::unknown(&self.pool, &erp, None).await.unwrap(),
            unheard::not_held(&self.pool, &erp).await.unwrap(),
        ] {
            unheard::note(&self.pool, &erp, &orders).await.unwrap();
            asked.push(orders.into_iter().map(|order| order.order_id).collect());
        }
        let others = asked.pop().unwrap();
        (asked.pop().unwrap(), others)
    }

    /// The levels of both locations are at the store.
    async fn all_is_applied(&self) {
        sqlx::query(
            "insert into delivery (system, store, kind, record_id, name, target_key, desired_epoch, desired_number,
                 desired, state)
             select 'shop', 'main', 'stock-level', id, id, id, 1, 1, '', 'applied'
             from unnest(array['graz_MUG', 'vienna_MUG']) as n (id)
             on conflict (store, kind, record_id, system) do update set state = 'applied'",
        )
        .execute(&self.pool)
        .await
        .unwrap();
    }

    /// The levels that are decided anew.
    async fn woken(&self) -> Vec<String> {
        sqlx::query_scalar("select record_id from delivery where state = 'pending' order by 1")
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }
}

/// An order of so many, at a revision.
fn order_of(units: i64, number: i64) -> Snapshot {
    order(ORDER).with_line(SKU, units, "12.95").at_revision(number)
}

/// The same after its parcel left.
fn sent_order_of(units: i64, number: i64) -> Snapshot {
    let mut snapshot = order_of(units, number);
    if let Some(Body::Order(order)) = &mut snapshot.body {
        order.lines[0].fulfillable_quantity = 0;
    }
    snapshot
}

fn gone(number: i64) -> Snapshot {
    let key = RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: ORDER.into() };
    Snapshot { key, revision: Revision { epoch: 1, number }, observed_at: Timestamp::UNIX_EPOCH, body: None }
}

#[tokio::test]
async fn a_read_that_began_before_another_one_brings_no_older_units_back() {
    let Some(bench) = Bench::open().await else { return };
    bench.hear(order_of(2, 1)).await;
    bench.read(10, &[("graz", 3), ("vienna", 5)]).await;
    bench.all_is_applied().await;
    // What another replica held to be on the way, before it heard the order.
    bench.hear(order(ORDER).cancelled().at_revision(2)).await;
    assert_eq!(bench.read(5, &[("graz", 3), ("vienna", 5)]).await, 0);
    assert_eq!((bench.held_back().await, bench.woken().await), (2, Vec::new()));
    assert_eq!(bench.read(20, &[("graz", 3), ("vienna", 5)]).await, 1);
    assert_eq!(bench.held_back().await, 0);
}

#[tokio::test]
async fn units_on_the_way_are_subtracted_at_every_location_at_once() {
    let Some(bench) = Bench::open().await else { return };
    bench.read(10, &[("graz", 3), ("vienna", 5)]).await;
    bench.all_is_applied().await;
    bench.hear(order_of(2, 1)).await;
    bench.read(20, &[("graz", 3), ("vienna", 5)]).await;
    assert_eq!(bench.woken().await, ["graz_MUG", "vienna_MUG"]);
    bench.all_is_applied().await;
    bench.hear(order_of(1, 2)).await;
    bench.read(30, &[("vienna", 5)]).await;
    assert_eq!(
        bench.woken().await,
        ["graz_MUG", "vienna_MUG"],
        "one that was not told this time has it subtracted too"
    );
}

/// The stock system has taken the order and sent it: decided before the new level is heard, the store would have the
/// old level without the order's units for a moment, and could sell them again.
#[tokio::test]
async fn a_level_that_changed_is_not_decided_of_its_old_state() {
    let Some(bench) = Bench::open().await else { return };
    bench.hear(order_of(2, 1)).await;
    bench.read(10, &[("graz", 3), ("vienna", 5)]).await;
    bench.all_is_applied().await;
    bench.erp_says("applied", 1, Some(1)).await;
    assert_eq!(bench.read(20, &[("graz", 3), ("vienna", 3)]).await, 2);
    assert_eq!((bench.held_back().await, bench.woken().await), (0, vec!["graz_MUG".to_owned()]));
}

#[tokio::test]
async fn an_order_that_the_stock_system_holds_is_not_subtracted_whatever_became_of_it_since() {
    let Some(bench) = Bench::open().await else { return };
    bench.hear(order_of(2, 1)).await;
    assert_eq!(bench.held_back_now().await, 2);
    bench.erp_says("parked", 1, None).await;
    assert_eq!(bench.held_back_now().await, 2, "it was refused");
    bench.erp_says("applied", 1, Some(1)).await;
    assert_eq!(bench.held_back_now().await, 0);
    bench.erp_says("parked", 2, Some(1)).await;
    assert_eq!(bench.held_back_now().await, 0, "an edit was refused; it holds the order all the same");
}

#[tokio::test]
async fn an_order_that_a_rule_keeps_away_is_subtracted_until_it_is_sent() {
    let Some(bench) = Bench::open().await else { return };
    bench.hear(order_of(2, 1)).await;
    bench.erp_says("ignored", 1, None).await;
    assert_eq!(bench.held_back_now().await, 2, "the store has promised them: it is not paid yet");
    bench.hear(sent_order_of(2, 2)).await;
    assert_eq!(bench.held_back_now().await, 2, "the rule may let this revision through");
    bench.erp_says("ignored", 2, None).await;
    assert_eq!(bench.held_back_now().await, 0, "nobody will tell the stock system, and the units have left");
}

#[tokio::test]
async fn an_order_that_is_heard_late_takes_nothing_back() {
    let Some(bench) = Bench::open().await else { return };
    bench.hear(order_of(3, 2)).await;
    bench.hear(order_of(1, 1)).await;
    assert_eq!(bench.held_back_now().await, 3);
    bench.hear(order(ORDER).with_line(SKU, 3, "12.95").cancelled().at_revision(3)).await;
    bench.hear(order_of(3, 2)).await;
    assert_eq!(bench.held_back_now().await, 0, "it stays cancelled");
    let mut restored = order_of(4, 1);
    restored.revision.epoch += 1;
    bench.hear(restored).await;
    assert_eq!(bench.held_back_now().await, 4, "a new epoch is newer than every number before it");
}

#[tokio::test]
async fn an_order_that_is_gone_takes_nothing() {
    let Some(bench) = Bench::open().await else { return };
    bench.hear(order_of(3, 1)).await;
    bench.hear(gone(2)).await;
    assert_eq!(bench.held_back_now().await, 0);
}

#[tokio::test]
async fn demand_from_before_revisions_were_kept_is_replaced_by_any() {
    let Some(bench) = Bench::open().await else { return };
    sqlx::query("insert into order_demand (store, order_id, sku, units) values ('main', $1, $2, 9)")
        .bind(ORDER.to_string())
        .bind(SKU)
        .execute(&bench.pool)
        .await
        .unwrap();
    assert_eq!(bench.held_back_now().await, 9);
    bench.erp_says("ignored", 7, None).await;
    assert_eq!(bench.held_back_now().await, 0, "how much of it was sent is not known: as before");
    bench.hear(order_of(2, 1)).await;
    assert_eq!(bench.held_back_now().await, 2);
}

#[tokio::test]
async fn an_order_is_asked_about_as_long_as_it_holds_units_back() {
    let Some(bench) = Bench::open().await else { return };
    bench.hear(order_of(2, 1)).await;
    let before_revisions = "insert into order_demand (store, order_id, sku, units) values ('main', '900', $1, 9)";
    sqlx::query(before_revisions).bind(SKU).execute(&bench.pool).await.unwrap();
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<String>>();
    let nobody = Vec::<String>::new();
    assert_eq!(bench.asked_about().await, (ids(&["1001", "900"]), nobody.clone()));
    assert_eq!(bench.asked_about().await, (nobody.clone(), nobody.clone()), "not again within a minute");
    let others_a_minute_later = async || {
        let older = "update order_heard set asked_at = asked_at - interval '1 minute'";
        sqlx::query(older).execute(&bench.pool).await.unwrap();
        bench.asked_about().await.1
    };
    assert_eq!(others_a_minute_later().await, ids(&["1001", "900"]));
    bench.erp_says("ignored", 1, None).await;
    assert_eq!(others_a_minute_later().await, ids(&["900", "1001"]), "what a rule keeps away comes last");
    bench.hear(order_of(2, 2)).await;
    assert_eq!(others_a_minute_later().await, ids(&["1001", "900"]), "it was another revision");
    bench.hear(sent_order_of(2, 3)).await;
    bench.erp_says("ignored", 3, None).await;
    assert_eq!(others_a_minute_later().await, ids(&["900"]), "what a rule keeps away and was sent holds nothing back");
    bench.erp_says("parked", 3, Some(2)).await;
    assert_eq!(others_a_minute_later().await, ids(&["900"]), "the stock system holds it");
}
