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

/// Lines of an order, so that its webhook has about 8 KB.
const LINES: usize = 2;

/// What is sold.
#[derive(Debug, Clone, Copy)]
pub struct Sale {
    /// How many orders.
    pub orders: usize,
    /// The same seed makes the same orders.
    pub seed: u64,
    /// Whether buyers leave an e-mail address; without one an order is all that is told of a person.
    pub emails: bool,
}

/// Places the orders and writes a line for each: its id, a space and its webhook's body.
///
/// # Errors
/// If they cannot be written.
pub fn sell(store: &Store, sale: Sale, now: Timestamp, out: &mut impl Write) -> std::io::Result<()> {
    let mut rng = fastrand::Rng::with_seed(sale.seed);
    for number in 0..sale.orders {
        let market = if number % 2 == 0 { Market::Austria } else { Market::Germany };
        // Beyond the numbers of the day's own people.
        let person = person_in(&mut rng, 1_000_000 + number, market);
        let mut order = loop {
            let order = fill(market, Wish::default(), &mut rng);
            if order.lines.len() == LINES && order.discounts.is_empty() {
                break order;
            }
        };
        order.email = sale.emails.then(|| person.email.clone());
        order.billing = Some(person.address.clone());
        order.shipping_address = Some(person.address.clone());
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
        let store = Store::new(Settings { webhooks_to: Some("http://127.0.0.1:9/x".into()), ..Settings::default() });
        let mut told = Vec::new();
        let sale = Sale { orders: 20, seed: 1, emails: false };
        sell(&store, sale, "2026-08-01T12:00:00Z".parse().unwrap(), &mut told).unwrap();
        let text = String::from_utf8(told).unwrap();
        let mut ids = std::collections::BTreeSet::new();
        let mut bytes = 0;
        for line in text.lines() {
            let (id, body) = line.split_once(' ').unwrap();
            let body_json: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(body_json["id"].to_string(), id);
            assert_eq!(body_json["financial_status"], "paid");
            assert_eq!(body_json["updated_at"], "2026-08-01T12:00:00+01:00");
            ids.insert(id.to_owned());
            bytes += body.len();
        }
        assert_eq!(ids.len(), 20);
        let each = bytes / 20;
        assert!((7_000..9_500).contains(&each), "{each} bytes an order");
        assert_eq!(store.deliveries().events, 0);
    }
}
