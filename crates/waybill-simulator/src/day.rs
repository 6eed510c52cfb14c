//! A trading day: customers and orders with payments, edits, cancellations and refunds, from a seed.
//!
//! What happens to an order after it was paid is chosen so that an ERP that has already booked it need not change it:
//! edits and cancellations come before the money is taken (or in one step with it), refunds come after shipping. So
//! whatever the timing, the only records that a system must park are the planted ones.
//!
//! Besides the trader there are people at work: packers who buy labels in the shipping system ([`Warehouse`]), and the
//! ERP's desk, where goods that were sent are booked out ([`ErpAccess`]).

mod basket;
mod erp_desk;
mod people;
mod planted;
mod warehouse;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use rust_decimal::Decimal;
use serde::Serialize;

use crate::shopify::{DeliveryCounts, NewCustomer, OrderView, Payment, Store};
use basket::{Wish, addition, fill};
use people::{Person, person};

pub use crate::erp_session::ErpAccess;
pub use planted::Planted;
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

/// What is still to happen to a record.
#[derive(Debug, Clone)]
enum FollowUp {
    Capture(u64),
    EditAndCapture(u64, Person),
    Cancel(u64),
    CaptureAndCancel(u64),
    UpdateCustomer(u64, String),
    TagProduct(&'static str),
    /// Some money back, once it was sent.
    Goodwill(u64),
    /// A unit back and its money, once it was sent.
    TakeBack(u64),
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
            tokio::spawn(erp_desk::work(erp, self.store.clone(), self.progress.clone()));
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
        let flaws: Vec<planted::Flaw> =
            planted::FLAWS.iter().copied().cycle().take(planted::FLAWS.len() * self.settings.flaws).collect();
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
                trader.plant(flaw);
            }
            trader.follow_up(number);
        }
        for flaw in flaws {
            trader.plant(flaw);
        }
        trader.follow_up(usize::MAX);
        self.progress.stage.store(2, Ordering::SeqCst);
        trader.close(self.settings.patience).await;
        self.progress.stage.store(3, Ordering::SeqCst);
    }
}

/// The one who makes things happen in the store.
struct Trader {
    store: Store,
    progress: Arc<Progress>,
    rng: fastrand::Rng,
    /// Customers so far.
    known: Vec<(u64, Person)>,
    people: usize,
    /// What is to happen once so many orders are placed.
    agenda: Vec<(usize, FollowUp)>,
}

impl Trader {
    fn new(day: &Day) -> Self {
        Self {
            store: day.store.clone(),
            progress: day.progress.clone(),
            rng: fastrand::Rng::with_seed(day.settings.seed),
            known: Vec::new(),
            people: 0,
            agenda: Vec::new(),
        }
    }

    fn new_customer(&mut self) -> (u64, Person) {
        self.people += 1;
        let person = person(&mut self.rng, self.people);
        let id = self.store.add_customer(NewCustomer {
            first_name: Some(person.first.clone()),
            last_name: Some(person.last.clone()),
            email: Some(person.email.clone()),
            phone: Some(person.phone.replace(' ', "")),
            address: Some(person.address.clone()),
            tags: if self.rng.u32(..12) == 0 { vec!["vip".into()] } else { Vec::new() },
        });
        self.progress.customers.fetch_add(1, Ordering::SeqCst);
        (id, person)
    }

    fn later(&mut self, now: usize, within: usize, what: FollowUp) {
        self.progress.open.fetch_add(1, Ordering::SeqCst);
        let at = now + 1 + self.rng.usize(..within);
        self.agenda.push((at, what));
    }

    /// One buyer comes and orders.
    fn serve(&mut self, now: usize) {
        let (customer, person) = match self.rng.u32(..100) {
            // A guest whom the store does not know.
            0..7 => {
                self.people += 1;
                (None, person(&mut self.rng, self.people))
            }
            7..40 if self.known.len() > 5 => {
                let (id, person) = self.known[self.rng.usize(..self.known.len())].clone();
                (Some(id), person)
            }
            _ => {
                let (id, person) = self.new_customer();
                self.known.push((id, person.clone()));
                if self.rng.u32(..100) < 10 {
                    let phone = format!("+43 1 777{:05}", self.people);
                    self.later(now, 20, FollowUp::UpdateCustomer(id, phone));
                }
                (Some(id), person)
            }
        };
        let fate = self.rng.u32(..100);
        let wish = Wish {
            editable: (78..91).contains(&fate),
            with_digital: self.rng.u32(..100) < 6,
            only_digital: (76..78).contains(&fate),
            two_places: self.rng.u32(..100) < 4,
        };
        let wish = if wish.only_digital { Wish { only_digital: true, ..Wish::default() } } else { wish };
        let mut order = fill(person.market, wish, &mut self.rng);
        order.customer = customer;
        order.email = Some(person.email.clone());
        order.phone = (self.rng.u32(..4) == 0).then(|| person.phone.clone());
        order.billing = Some(person.address.clone());
        order.shipping_address = (!wish.only_digital).then(|| person.address.clone());
        order.note = (self.rng.u32(..15) == 0).then(|| "Bitte klingeln – 2. Stock 🎁".into());
        order.locale = if person.market == people::Market::Austria { "de-AT".into() } else { "en".into() };
        order.payment = match fate {
            0..78 => Payment::Paid,
            78..97 => Payment::Authorized,
            _ => Payment::None,
        };
        // Tips and duties are on orders that are never paid, so that no system has to book them.
        if fate == 95 {
            order.tip = Decimal::new(3_00, 2);
        }
        if fate == 96
            && let Some(first) = order.lines.first_mut()
        {
            first.duty = Decimal::new(7_20, 2);
        }
        let id = self.store.place(order);
        self.progress.placed.fetch_add(1, Ordering::SeqCst);
        match fate {
            0..3 => self.later(now, 5, FollowUp::Goodwill(id)),
            3..6 => self.later(now, 5, FollowUp::TakeBack(id)),
            78..85 => self.later(now, 12, FollowUp::Capture(id)),
            85..91 => self.later(now, 8, FollowUp::EditAndCapture(id, person)),
            91..93 => self.later(now, 10, FollowUp::Cancel(id)),
            93..95 => self.later(now, 10, FollowUp::CaptureAndCancel(id)),
            _ => {}
        }
        if self.rng.u32(..60) == 0 {
            let item = &crate::catalogue::ITEMS[self.rng.usize(..crate::catalogue::ITEMS.len())];
            self.later(now, 10, FollowUp::TagProduct(item.code));
        }
    }

    fn plant(&mut self, flaw: planted::Flaw) {
        self.people += 1;
        let planted = planted::plant(&self.store, flaw, self.people, &mut self.rng);
        self.progress.customers.fetch_add(1, Ordering::SeqCst);
        if planted.iter().any(|one| one.kind == "order") {
            self.progress.placed.fetch_add(1, Ordering::SeqCst);
        }
        self.progress.planted().extend(planted);
    }

    /// Does what is due, in the order in which it became due. Goodwill waits for the parcel.
    fn follow_up(&mut self, now: usize) {
        let mut waiting = Vec::new();
        let mut agenda = std::mem::take(&mut self.agenda);
        agenda.sort_by_key(|(at, _)| *at);
        for (at, what) in agenda {
            if at > now || !self.happen(&what) {
                waiting.push((at, what));
            } else {
                self.progress.open.fetch_sub(1, Ordering::SeqCst);
            }
        }
        self.agenda = waiting;
    }

    fn happen(&mut self, what: &FollowUp) -> bool {
        match what {
            FollowUp::Capture(order) => self.store.capture(*order),
            FollowUp::EditAndCapture(order, person) => {
                self.edit(*order, person);
                self.store.capture(*order);
                self.store.pay(*order);
            }
            FollowUp::Cancel(order) => self.store.cancel(*order, "customer", false),
            FollowUp::CaptureAndCancel(order) => self.store.cancel(*order, "inventory", true),
            FollowUp::UpdateCustomer(customer, phone) => self.store.update_customer(*customer, None, Some(phone)),
            FollowUp::TagProduct(sku) => self.store.tag_product(sku, "bestseller"),
            FollowUp::Goodwill(order) => {
                if self.sent(*order).is_none() {
                    return false;
                }
                self.store.refund_money(*order, Decimal::new(2_00, 2), "Arrived late");
            }
            FollowUp::TakeBack(order) => {
                let Some(view) = self.sent(*order) else { return false };
                if let Some(line) = view.lines.iter().find(|line| line.requires_shipping && line.current > 0) {
                    self.store.refund_units(*order, line.id, 1, "Too small");
                }
            }
        }
        true
    }

    /// The order, if all of it was sent.
    fn sent(&self, order: u64) -> Option<OrderView> {
        self.store.order(order).filter(|order| order.fulfillment_status == Some("fulfilled"))
    }

    /// Takes a unit or a line off, or adds one.
    fn edit(&mut self, order: u64, person: &Person) {
        let Some(view) = self.store.order(order) else { return };
        let goods: Vec<_> = view.lines.iter().filter(|line| line.requires_shipping && line.current > 0).collect();
        let units: i64 = goods.iter().map(|line| line.current).sum();
        let (removals, additions) = match self.rng.u32(..3) {
            0 if units > 1 => {
                let line = goods[self.rng.usize(..goods.len())];
                let all = goods.len() > 1 && self.rng.bool();
                (vec![(line.id, if all { line.current } else { 1 })], Vec::new())
            }
            1 if units > 1 => (vec![(goods[0].id, 1)], vec![addition(person.market, &mut self.rng)]),
            _ => (Vec::new(), vec![addition(person.market, &mut self.rng)]),
        };
        self.store.edit(order, &removals, additions);
    }

    /// Waits for what depends on parcels, as long as there is patience.
    async fn close(&mut self, patience: Duration) {
        let step = Duration::from_millis(250);
        let mut waited = Duration::ZERO;
        while !self.agenda.is_empty() && waited < patience {
            tokio::time::sleep(step).await;
            waited += step;
            self.follow_up(usize::MAX);
        }
        let dropped = self.agenda.len() as u64;
        self.progress.dropped.store(dropped, Ordering::SeqCst);
        self.progress.open.fetch_sub(dropped, Ordering::SeqCst);
        self.agenda.clear();
    }
}
