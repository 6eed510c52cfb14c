//! A sale: orders that the store took at once and told nobody of, so that whoever measures tells them at a pace of its
//! own.

use std::io::Write;

use jiff::{SignedDuration, Timestamp};

use super::{
    basket::{Wish, fill},
    people::{Market, person_in},
};
use crate::shopify::{Payment, Store};

/// They were placed so long ago: a comparison of what changed lately asks for none of them.
const AGO: SignedDuration = SignedDuration::from_hours(1);

/// Lines of an order with addresses and of one without, so that the webhook of either has about 8 KB.
const LINES: (usize, usize) = (2, 3);

/// What is sold.
#[derive(Debug, Clone, Copy)]
pub struct Sale {
    /// How many orders.
    pub orders: usize,
    /// The same seed makes the same orders.
    pub seed: u64,
    /// Whether buyers say who they are, and get a parcel. Those at a till do not: their order is all that there is to tell.
    pub named: bool,
}

/// Places the orders and writes a line for each: its id, a space and its webhook's body.
///
/// # Errors
/// If they cannot be written.
pub fn sell(store: &Store, sale: Sale, now: Timestamp, out: &mut impl Write) -> std::io::Result<()> {
    let mut rng = fastrand::Rng::with_seed(sale.seed);
    let lines = if sale.named { LINES.0 } else { LINES.1 };
    for number in 0..sale.orders {
        let market = if number % 2 == 0 { Market::Austria } else { Market::Germany };
        // Beyond the numbers of the day's own people.
        let person = person_in(&mut rng, 1_000_000 + number, market);
        let mut order = loop {
            let order = fill(market, Wish::default(), &mut rng);
            if order.lines.len() == lines && order.discounts.is_empty() {
                break order;
            }
        };
        if sale.named {
            order.email = Some(person.email.clone());
            order.billing = Some(person.address.clone());
            order.shipping_address = Some(person.address.clone());
        }
        order.payment = Payment::Paid;
        let id = store.place_quietly(order, now - AGO);
        writeln!(out, "{id} {}", store.body("order", id))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Sale, sell};
    use crate::shopify::{Settings, Store};

    #[tokio::test]
    async fn orders_of_a_sale_are_distinct_paid_told_to_nobody_and_of_eight_kilobytes() {
        let webhooks_to = Some("http://127.0.0.1:9/x".into());
        let store = Store::new(Settings { webhooks_to, ..Settings::default() });
        let mut ids = std::collections::BTreeSet::new();
        for named in [true, false] {
            let mut told = Vec::new();
            let sale = Sale { orders: 20, seed: 1, named };
            sell(&store, sale, "2026-08-01T12:00:00Z".parse().unwrap(), &mut told).unwrap();
            for line in String::from_utf8(told).unwrap().lines() {
                let (id, text) = line.split_once(' ').unwrap();
                let body: serde_json::Value = serde_json::from_str(text).unwrap();
                assert_eq!(body["id"].to_string(), id);
                assert_eq!(body["financial_status"], "paid");
                assert_eq!(body["updated_at"], "2026-08-01T12:00:00+01:00");
                assert_eq!([body["email"].is_string(), body["billing_address"].is_object()], [named, named]);
                assert!((6_000..11_000).contains(&text.len()), "{} bytes", text.len());
                ids.insert(id.to_owned());
            }
        }
        assert_eq!(ids.len(), 40);
        assert_eq!(store.deliveries().events, 0);
    }
}
