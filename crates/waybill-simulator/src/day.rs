//! A trading day: customers and orders with payments, edits, cancellations and refunds, from a seed.
//!
//! What happens to an order after it was paid is chosen so that an ERP that has already booked it need not change it:
//! edits and cancellations come before the money is taken (or in one step with it), refunds come after shipping. So
//! whatever the timing, the only records that a system must park are the planted ones. One of these is an order that is
//! cancelled when it lies before the packers.
//!
//! Refunds take turns: money alone, a unit that is not fit for the shelf, the shipping price, and all of an order with
//! its goods back on the shelf. What comes back in part has an exact tax in each part.
//!
//! Besides the trader there are people at work: packers who buy labels in the shipping system ([`Warehouse`]), and the
//! ERP's desk, where goods that were sent are booked out and those that came back to the shelf are counted in
//! ([`ErpAccess`]). List prices change there in between, and one in the store by hand.

mod basket;
mod erp_desk;
mod people;
mod planted;
mod prices;
mod sale;
mod trader;
mod warehouse;

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Serialize;

use crate::shopify::{DeliveryCounts, Store};
use trader::Trader;

pub use crate::erp_session::ErpAccess;
pub use planted::Planted;
pub use sale::{Sale, sell};
pub use warehouse::Warehouse;

/// What the day is like.
#[derive(Debug, Clone)]
pub struct DaySettings {
    /// How many good orders are placed. Planted ones come on top.
    pub orders: usize,
    /// The same seed makes the same day.
    pub seed: u64,
    /// Orders a second; none for as fast as possible.
    pub rate: Option<f64>,
    /// How long the day waits for parcels that refunds follow, once all orders are placed.
    pub patience: Duration,
    /// How many records of each flaw are planted.
    pub flaws: usize,
}

impl Default for DaySettings {
    fn default() -> Self {
        Self { orders: 300, seed: 1, rate: Some(2.0), patience: Duration::from_secs(600), flaws: 1 }
    }
}

/// How the day stands.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// `idle`, `trading`, `closing` (all placed; deliveries or refunds are open) or `finished`.
    pub day: &'static str,
    /// Orders to be placed, planted ones included.
    pub orders_planned: u64,
    /// Orders placed.
    pub orders_placed: u64,
    /// Customers entered.
    pub customers: u64,
    /// Payments, edits, cancellations, refunds and updates still to come.
    pub follow_ups_open: u64,
    /// Refunds that were to follow a parcel that never came.
    pub follow_ups_dropped: u64,
    /// Labels bought in the warehouse.
    pub parcels: u64,
    /// Orders that must be shipped: paid, not cancelled, with goods, not planted for the ERP or the shipping system.
    pub to_ship: u64,
    /// Of those, the ones whose goods the store knows to be sent.
    pub shipped: u64,
    /// Orders whose goods were booked out of the ERP's stock.
    pub booked: u64,
    /// Webhooks.
    pub webhooks: DeliveryCounts,
}

/// The day's counters.
#[derive(Debug, Default)]
pub struct Progress {
    stage: AtomicU8,
    planned: AtomicU64,
    placed: AtomicU64,
    customers: AtomicU64,
    open: AtomicU64,
    dropped: AtomicU64,
    parcels: AtomicU64,
    booked: AtomicU64,
    planted: Mutex<Vec<Planted>>,
    /// Lines that nobody packs, and whether the packers have seen them.
    held_back: Mutex<HashMap<u64, bool>>,
}

impl Progress {
    fn parcels(&self, more: usize) {
        self.parcels.fetch_add(more as u64, Ordering::SeqCst);
    }

    fn booked(&self, more: usize) {
        self.booked.fetch_add(more as u64, Ordering::SeqCst);
    }

    fn planted(&self) -> MutexGuard<'_, Vec<Planted>> {
        self.planted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_back(&self) -> MutexGuard<'_, HashMap<u64, bool>> {
        self.held_back.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A day of one store. Clones are the same day.
#[derive(Clone)]
pub struct Day {
    store: Store,
    settings: DaySettings,
    warehouse: Option<Warehouse>,
    erp: Option<ErpAccess>,
    progress: Arc<Progress>,
}

impl Day {
    /// A day that has not begun, with people who pack and people who book goods out, where there are any.
    pub fn new(store: Store, settings: DaySettings, warehouse: Option<Warehouse>, erp: Option<ErpAccess>) -> Self {
        Self { store, settings, warehouse, erp, progress: Arc::default() }
    }

    /// What was planted so far, with what must become of it.
    pub fn planted(&self) -> Vec<Planted> {
        self.progress.planted().clone()
    }

    /// Starts the day in the background. A second start does nothing and answers false.
    pub fn start(&self) -> bool {
        if self.progress.stage.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return false;
        }
        if let Some(warehouse) = self.warehouse.clone() {
            tokio::spawn(warehouse::work(warehouse, self.progress.clone()));
        }
        if let Some(erp) = self.erp.clone() {
            tokio::spawn(erp_desk::work(erp.clone(), self.store.clone(), self.progress.clone()));
            tokio::spawn(prices::work(erp, self.store.clone(), self.progress.clone()));
        }
        tokio::spawn(self.clone().run());
        true
    }

    /// How the day stands.
    pub fn report(&self) -> Report {
        let get = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        let progress = &self.progress;
        let planted: HashSet<String> = progress
            .planted()
            .iter()
            .filter(|one| one.kind == "order" && (one.system == "erp" || one.system == "shipping"))
            .map(|one| one.id.clone())
            .collect();
        let (to_ship, shipped) = self.store.shipping_state(&planted);
        let webhooks = self.store.deliveries();
        let day = match progress.stage.load(Ordering::SeqCst) {
            0 => "idle",
            1 => "trading",
            2 => "closing",
            _ if webhooks.pending > 0 => "closing",
            _ => "finished",
        };
        Report {
            day,
            orders_planned: get(&progress.planned),
            orders_placed: get(&progress.placed),
            customers: get(&progress.customers),
            follow_ups_open: get(&progress.open),
            follow_ups_dropped: get(&progress.dropped),
            parcels: get(&progress.parcels),
            to_ship,
            shipped,
            booked: get(&progress.booked),
            webhooks,
        }
    }

    async fn run(self) {
        let mut trader = Trader::new(&self);
        // Without packers nothing lies before them.
        let has_packers = self.warehouse.is_some();
        let flaws = planted::FLAWS.iter().copied();
        let flaws: Vec<planted::Flaw> =
            flaws.filter(|flaw| has_packers || *flaw != planted::Flaw::LateCancellation).collect();
        let flaws = flaws.repeat(self.settings.flaws);
        let bad_orders = flaws.iter().filter(|flaw| **flaw != planted::Flaw::InvalidEmail).count();
        self.progress.planned.store((self.settings.orders + bad_orders) as u64, Ordering::SeqCst);
        let pause = self.settings.rate.filter(|rate| *rate > 0.0).map(|rate| Duration::from_secs_f64(1.0 / rate));
        let mut pace = pause.map(tokio::time::interval);
        let mut flaws = flaws.into_iter();
        // Planted records are spread over the day.
        let every = (self.settings.orders / (flaws.len() + 1)).max(1);
        for number in 0..self.settings.orders {
            match &mut pace {
                Some(pace) => {
                    pace.tick().await;
                }
                None => tokio::task::yield_now().await,
            }
            trader.serve(number);
            if number % every == every - 1
                && let Some(flaw) = flaws.next()
            {
                trader.plant(number, flaw);
            }
            trader.follow_up(number);
        }
        for flaw in flaws {
            trader.plant(self.settings.orders, flaw);
        }
        trader.follow_up(usize::MAX);
        self.progress.stage.store(2, Ordering::SeqCst);
        trader.close(self.settings.patience).await;
        self.progress.stage.store(3, Ordering::SeqCst);
    }
}
