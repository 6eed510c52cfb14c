//! The one who makes things happen in the store.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rust_decimal::Decimal;

use super::{
    Day, Progress,
    basket::{Wish, addition, fill},
    people::{Market, Person, person},
    planted,
};
use crate::shopify::{NewCustomer, OrderView, Payment, Store};

/// What is still to happen to a record.
#[derive(Debug, Clone)]
enum FollowUp {
    Capture(u64),
    EditAndCapture(u64, Market),
    Cancel(u64),
    CaptureAndCancel(u64),
    /// Once its goods lie before the packers.
    CancelUnpacked(u64),
    UpdateCustomer(u64, String),
    TagProduct(&'static str),
    /// Some money back, once it was sent.
    Goodwill(u64),
    /// The shipping price back, once it was sent.
    ShippingBack(u64),
    /// A unit back and its money, once it was sent.
    TakeBack(u64),
    /// All of it back and all of its money, once it was sent.
    AllBack(u64),
}

/// The one who makes things happen in the store.
pub(super) struct Trader {
    store: Store,
    progress: Arc<Progress>,
    rng: fastrand::Rng,
    /// Customers so far.
    known: Vec<(u64, Person)>,
    people: usize,
    /// Refunds so far, those to come included.
    refunds: usize,
    /// What is to happen once so many orders are placed.
    agenda: Vec<(usize, FollowUp)>,
}

impl Trader {
    pub(super) fn new(day: &Day) -> Self {
        Self {
            store: day.store.clone(),
            progress: day.progress.clone(),
            rng: fastrand::Rng::with_seed(day.settings.seed),
            known: Vec::new(),
            people: 0,
            refunds: 0,
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
            ..NewCustomer::default()
        });
        self.progress.customers.fetch_add(1, Ordering::SeqCst);
        (id, person)
    }

    /// The kinds of refunds take turns, so that a short day has each of them.
    fn next_refund(&mut self, order: u64) -> FollowUp {
        self.refunds += 1;
        match self.refunds % 4 {
            1 => FollowUp::Goodwill(order),
            2 => FollowUp::TakeBack(order),
            3 => FollowUp::ShippingBack(order),
            _ => FollowUp::AllBack(order),
        }
    }

    fn later(&mut self, now: usize, within: usize, what: FollowUp) {
        self.progress.open.fetch_add(1, Ordering::SeqCst);
        let at = now + 1 + self.rng.usize(..within);
        self.agenda.push((at, what));
    }

    /// One buyer comes and orders.
    pub(super) fn serve(&mut self, now: usize) {
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
            // What is edited or comes back in part must have an exact tax in each part.
            editable: (0..6).contains(&fate) || (78..91).contains(&fate),
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
        order.locale = if person.market == Market::Austria { "de-AT".into() } else { "en".into() };
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
            0..6 => {
                let back = self.next_refund(id);
                self.later(now, 5, back);
            }
            78..85 => self.later(now, 12, FollowUp::Capture(id)),
            85..91 => self.later(now, 8, FollowUp::EditAndCapture(id, person.market)),
            91..93 => self.later(now, 10, FollowUp::Cancel(id)),
            93..95 => self.later(now, 10, FollowUp::CaptureAndCancel(id)),
            _ => {}
        }
        if self.rng.u32(..60) == 0 {
            let item = &crate::catalogue::ITEMS[self.rng.usize(..crate::catalogue::ITEMS.len())];
            self.later(now, 10, FollowUp::TagProduct(item.code));
        }
    }

    pub(super) fn plant(&mut self, now: usize, flaw: planted::Flaw) {
        self.people += 1;
        let planted = planted::plant(&self.store, flaw, self.people, &mut self.rng);
        if flaw == planted::Flaw::LateCancellation {
            let order = planted.iter().find_map(|one| self.store.order(one.id.parse().ok()?));
            if let Some(order) = order {
                self.progress.held_back().extend(order.lines.iter().map(|line| (line.id, false)));
                self.later(now, 1, FollowUp::CancelUnpacked(order.id));
            }
        }
        self.progress.customers.fetch_add(1, Ordering::SeqCst);
        if planted.iter().any(|one| one.kind == "order") {
            self.progress.placed.fetch_add(1, Ordering::SeqCst);
        }
        self.progress.planted().extend(planted);
    }

    /// Does what is due, in the order in which it became due. Goodwill waits for the parcel.
    pub(super) fn follow_up(&mut self, now: usize) {
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
            FollowUp::EditAndCapture(order, market) => {
                self.edit(*order, *market);
                self.store.capture(*order);
                self.store.pay(*order);
            }
            FollowUp::Cancel(order) => self.store.cancel(*order, "customer", false),
            FollowUp::CaptureAndCancel(order) => self.store.cancel(*order, "inventory", true),
            FollowUp::CancelUnpacked(order) => {
                let Some(view) = self.store.order(*order) else { return true };
                let held_back = self.progress.held_back();
                if !view.lines.iter().any(|line| held_back.get(&line.id) == Some(&true)) {
                    return false;
                }
                self.store.cancel(*order, "inventory", false);
            }
            FollowUp::UpdateCustomer(customer, phone) => self.store.update_customer(*customer, None, Some(phone)),
            FollowUp::TagProduct(sku) => self.store.tag_product(sku, "bestseller"),
            FollowUp::Goodwill(order) => {
                if self.sent(*order).is_none() {
                    return false;
                }
                self.store.refund_money(*order, Decimal::new(2_00, 2), "Arrived late");
            }
            FollowUp::ShippingBack(order) => {
                if self.sent(*order).is_none() {
                    return false;
                }
                if !self.store.refund_shipping(*order, "Arrived late") {
                    // Its shipping was free.
                    self.store.refund_money(*order, Decimal::new(2_00, 2), "Arrived late");
                }
            }
            FollowUp::AllBack(order) => {
                if self.sent(*order).is_none() {
                    return false;
                }
                self.store.refund_all(*order, "Not as expected");
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
    fn edit(&mut self, order: u64, market: Market) {
        let Some(view) = self.store.order(order) else { return };
        let goods: Vec<_> = view.lines.iter().filter(|line| line.requires_shipping && line.current > 0).collect();
        let units: i64 = goods.iter().map(|line| line.current).sum();
        let (removals, additions) = match self.rng.u32(..3) {
            0 if units > 1 => {
                let line = goods[self.rng.usize(..goods.len())];
                let all = goods.len() > 1 && self.rng.bool();
                (vec![(line.id, if all { line.current } else { 1 })], Vec::new())
            }
            1 if units > 1 => (vec![(goods[0].id, 1)], vec![addition(market, &mut self.rng)]),
            _ => (Vec::new(), vec![addition(market, &mut self.rng)]),
        };
        self.store.edit(order, &removals, additions);
    }

    /// Waits for what depends on parcels, as long as there is patience.
    pub(super) async fn close(&mut self, patience: Duration) {
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
