//! Records that read as prose: `order(1001).paid().with_line("TEE-M", 2, "24.00")`.

mod refund;

use std::borrow::Borrow;

use jiff::Timestamp;
use rust_decimal::Decimal;
use waybill_domain::{
    Body, Currency, Kind, Money, MoneyPair, RecordId, RecordKey, Revision, Snapshot,
    customer::{Address, Person},
    order::{FinancialStatus, Order, OrderLine, OrderTotals, Refund, RefundLine, ShippingLine, TaxLine},
};

pub use refund::{RefundBuilder, refund_of};

const PLACED_AT: i64 = 1_780_000_000;

fn euro() -> Currency {
    "EUR".parse().expect("a currency")
}

/// An amount in euros, the same for shop and buyer.
pub fn eur(amount: &str) -> MoneyPair {
    MoneyPair::same(Money::parse(amount, euro()).expect("an amount"))
}

/// An order under construction: pending, without lines, of a buyer in Vienna.
#[derive(Debug, Clone)]
pub struct OrderBuilder(Order);

/// An order with this number: `#1001`.
pub fn order(number: u64) -> OrderBuilder {
    let placed = Timestamp::from_second(PLACED_AT).expect("a time");
    let zero = eur("0.00");
    let address = Address {
        first_name: "Ada".into(),
        last_name: "Lind".into(),
        address1: "Ring 1".into(),
        city: "Wien".into(),
        zip: "1010".into(),
        country_code: "AT".to_owned(),
        country: "Austria".to_owned(),
        ..Address::default()
    };
    OrderBuilder(Order {
        id: RecordId::from(number),
        name: format!("#{number}"),
        created_at: placed,
        processed_at: placed,
        cancelled_at: None,
        cancel_reason: None,
        closed_at: None,
        currency: euro(),
        presentment_currency: euro(),
        financial_status: FinancialStatus::Pending,
        fulfillment_status: String::new(),
        taxes_included: false,
        test: false,
        source_name: "web".to_owned(),
        tags: Vec::new(),
        note: String::new(),
        locale: "de".to_owned(),
        customer: Some(Person {
            id: RecordId::from(77),
            first_name: "Ada".into(),
            last_name: "Lind".into(),
            email: "ada@example.com".into(),
            phone: "".into(),
        }),
        email: "ada@example.com".into(),
        phone: "".into(),
        billing_address: Some(address.clone()),
        shipping_address: Some(address),
        lines: Vec::new(),
        shipping_lines: Vec::new(),
        refunds: Vec::new(),
        totals: OrderTotals {
            lines: zero,
            discounts: zero,
            shipping: zero,
            tax: zero,
            duties: None,
            tip: zero,
            additional_fees: None,
            cash_rounding: None,
            total: zero,
            current_total: zero,
        },
    })
}

impl Borrow<Order> for OrderBuilder {
    fn borrow(&self) -> &Order {
        &self.0
    }
}

impl OrderBuilder {
    /// All of it captured.
    #[must_use]
    pub fn paid(mut self) -> Self {
        self.0.financial_status = FinancialStatus::Paid;
        self
    }

    /// Cancelled an hour after it was placed.
    #[must_use]
    pub fn cancelled(mut self) -> Self {
        self.0.cancelled_at = Timestamp::from_second(PLACED_AT + 3600).ok();
        self
    }

    /// Of this buyer.
    #[must_use]
    pub fn by(mut self, email: &str) -> Self {
        self.0.email = email.into();
        if let Some(customer) = &mut self.0.customer {
            customer.email = email.into();
        }
        self
    }

    /// Prices contain tax from here on.
    #[must_use]
    pub fn tax_included(mut self) -> Self {
        self.0.taxes_included = true;
        self
    }

    /// So many of an item, shipped, untaxed.
    #[must_use]
    pub fn with_line(mut self, sku: &str, quantity: i64, price: &str) -> Self {
        let id = self.0.lines.len() as u64 + 1;
        self.0.lines.push(OrderLine {
            id: RecordId::from(id),
            variant_id: None,
            product_id: None,
            sku: sku.to_owned(),
            title: sku.to_owned(),
            quantity,
            current_quantity: quantity,
            fulfillable_quantity: quantity,
            unit_price: eur(price),
            discount: eur("0.00"),
            taxes: Vec::new(),
            duties: Vec::new(),
            requires_shipping: true,
            gift_card: false,
            grams: 100,
        });
        self.summed()
    }

    /// A discount on the last line.
    #[must_use]
    pub fn discounted(mut self, amount: &str) -> Self {
        if let Some(line) = self.0.lines.last_mut() {
            line.discount = eur(amount);
        }
        self.summed()
    }

    /// A tax on the last line.
    #[must_use]
    pub fn taxed(mut self, title: &str, rate: &str, amount: &str) -> Self {
        if let Some(line) = self.0.lines.last_mut() {
            line.taxes.push(TaxLine {
                title: title.to_owned(),
                rate: rate.parse().expect("a rate"),
                amount: eur(amount),
            });
        }
        self.summed()
    }

    /// Shipping at a price, untaxed.
    #[must_use]
    pub fn shipped_for(mut self, price: &str) -> Self {
        self.0.shipping_lines.push(ShippingLine {
            id: RecordId::from(900),
            title: "Standard".to_owned(),
            code: "standard".to_owned(),
            price: eur(price),
            discounted_price: eur(price),
            taxes: Vec::new(),
            removed: false,
        });
        self.summed()
    }

    /// An edit takes units of the last line off.
    #[must_use]
    pub fn with_units_removed(mut self, units: i64) -> Self {
        if let Some(line) = self.0.lines.last_mut() {
            line.current_quantity -= units;
        }
        self
    }

    /// A refund takes units of the last line back.
    #[must_use]
    pub fn with_units_refunded(mut self, units: i64) -> Self {
        if let Some(line) = self.0.lines.last_mut() {
            line.current_quantity -= units;
            self.0.refunds.push(Refund {
                id: RecordId::from(500),
                order_id: self.0.id.clone(),
                created_at: self.0.created_at,
                refunded: None,
                lines: vec![RefundLine {
                    line_id: line.id.clone(),
                    sku: line.sku.clone(),
                    title: line.title.clone(),
                    taxes: line.taxes.clone(),
                    quantity: units,
                    subtotal: eur("0.00"),
                    tax: eur("0.00"),
                }],
                note: String::new(),
            });
        }
        self
    }

    /// The stated total is off by this much.
    #[must_use]
    pub fn off_by(mut self, amount: &str) -> Self {
        let total = self.0.totals.total.shop.amount + amount.parse::<Decimal>().expect("an amount");
        self.0.totals.total = eur(&total.to_string());
        self
    }

    fn summed(mut self) -> Self {
        let lines: Decimal =
            self.0.lines.iter().map(|line| line.unit_price.shop.amount * Decimal::from(line.quantity)).sum();
        let discounts: Decimal = self.0.lines.iter().map(|line| line.discount.shop.amount).sum();
        let tax: Decimal = self.0.lines.iter().flat_map(|line| &line.taxes).map(|tax| tax.amount.shop.amount).sum();
        let shipping: Decimal = self.0.shipping_lines.iter().map(|line| line.price.shop.amount).sum();
        let added = if self.0.taxes_included { Decimal::ZERO } else { tax };
        let pair = |amount: Decimal| MoneyPair::same(Money::new(amount, euro()));
        let total = pair(lines - discounts + shipping + added);
        self.0.totals = OrderTotals {
            lines: pair(lines),
            discounts: pair(discounts),
            shipping: pair(shipping),
            tax: pair(tax),
            total,
            current_total: total,
            ..self.0.totals
        };
        self
    }

    /// With a refund of it.
    #[must_use]
    pub fn with_refund(mut self, refund: Refund) -> Self {
        for back in &refund.lines {
            if let Some(line) = self.0.lines.iter_mut().find(|line| line.id == back.line_id) {
                line.current_quantity -= back.quantity;
            }
        }
        self.0.refunds.push(refund);
        self
    }

    /// The order.
    pub fn build(self) -> Order {
        self.0
    }

    /// Its snapshot at a revision of store `main`.
    pub fn at_revision(self, number: i64) -> Snapshot {
        snapshot(Kind::Order, self.0.id.clone(), number, Body::Order(Box::new(self.0)))
    }
}

/// A snapshot of store `main`, epoch 1.
pub fn snapshot(kind: Kind, id: RecordId, number: i64, body: Body) -> Snapshot {
    Snapshot {
        key: RecordKey { store: "main".parse().expect("a name"), kind, id },
        revision: Revision { epoch: 1, number },
        observed_at: Timestamp::from_second(PLACED_AT).expect("a time"),
        body: Some(body),
    }
}
