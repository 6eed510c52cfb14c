//! Placing an order: what is bought, and the order that comes of it.

use rust_decimal::Decimal;

use super::{
    address::Address,
    clock::Moment,
    money::{Exchange, Pair, round},
    order::{
        Allocation, DiscountApplication, DiscountKind, DiscountValue, Duty, Line, Order, ShippingLine, TaxLine,
        TransactionKind,
    },
    state::{About, State},
};
use crate::catalogue::CURRENCY;

/// How an order is paid when it is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Payment {
    /// Not at all yet: bank transfer.
    #[default]
    None,
    /// Reserved on a card.
    Authorized,
    /// Paid at once.
    Paid,
}

/// A tax: title, and rate as a fraction.
pub type Rate = (String, Decimal);

/// An item to be ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLine {
    /// The variant's SKU. A variant of the catalogue gives title, weight and kind.
    pub sku: Option<String>,
    /// What the buyer sees, where there is no such variant.
    pub title: String,
    /// How many.
    pub quantity: i64,
    /// Price of one in the shop's currency; with tax if the order's prices contain it.
    pub price: Decimal,
    /// Its taxes.
    pub taxes: Vec<Rate>,
    /// Import duty on the line, in the shop's currency.
    pub duty: Decimal,
}

/// A discount to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDiscount {
    /// How it came to be.
    pub kind: DiscountKind,
    /// The code or the title.
    pub name: String,
    /// What it is worth.
    pub value: DiscountValue,
    /// How much of it each line gets, by the line's index, in the shop's currency.
    pub lines: Vec<(usize, Decimal)>,
    /// How much of it shipping gets, in the shop's currency.
    pub shipping: Decimal,
}

/// A way of shipping that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewShipping {
    /// What the buyer sees.
    pub title: String,
    /// The service's code.
    pub code: String,
    /// Price in the shop's currency; with tax if the order's prices contain it.
    pub price: Decimal,
    /// Its taxes.
    pub taxes: Vec<Rate>,
}

/// An order to be placed.
#[derive(Debug, Clone, Default)]
pub struct NewOrder {
    /// The customer's id; none for a guest whom the store does not know.
    pub customer: Option<u64>,
    /// E-mail given at checkout.
    pub email: Option<String>,
    /// Phone given at checkout.
    pub phone: Option<String>,
    /// Whom to bill.
    pub billing: Option<Address>,
    /// Where to ship.
    pub shipping_address: Option<Address>,
    /// What is bought.
    pub lines: Vec<NewLine>,
    /// How it is sent.
    pub shipping: Vec<NewShipping>,
    /// What is taken off.
    pub discounts: Vec<NewDiscount>,
    /// The buyer's currency and its rate, if it is not the shop's.
    pub presentment: Option<(String, Decimal)>,
    /// Whether prices contain tax.
    pub taxes_included: bool,
    /// Tip, in the shop's currency.
    pub tip: Decimal,
    /// The buyer's note.
    pub note: Option<String>,
    /// The merchant's labels.
    pub tags: Vec<String>,
    /// The buyer's language; empty for `en`.
    pub locale: String,
    /// How it is paid.
    pub payment: Payment,
    /// States a total that lies so much above its parts: an order whose sums do not hold.
    pub skew: Decimal,
}

fn taxes(value: Decimal, rates: &[Rate], included: bool, exchange: &Exchange) -> Vec<TaxLine> {
    let all: Decimal = rates.iter().map(|(_, rate)| *rate).sum();
    rates
        .iter()
        .map(|(title, rate)| {
            let tax = round(Order::tax_of(value, *rate, all, included), &exchange.shop);
            TaxLine { title: title.clone(), rate: *rate, price: exchange.pair(tax) }
        })
        .collect()
}

impl State {
    /// Places an order and returns its id.
    pub(crate) fn place(&mut self, new: NewOrder) -> u64 {
        let now = Moment::now();
        let exchange = match new.presentment {
            Some((presentment, rate)) => Exchange { shop: CURRENCY.into(), presentment, rate },
            None => Exchange { shop: CURRENCY.into(), presentment: CURRENCY.into(), rate: Decimal::ONE },
        };
        let id = self.ids.next("Order");
        let mut lines = Vec::new();
        for (index, line) in new.lines.iter().enumerate() {
            lines.push(self.new_line(index, line, &new.discounts, new.taxes_included, &exchange));
        }
        let mut shipping_lines = Vec::new();
        for (index, line) in new.shipping.iter().enumerate() {
            let off: Vec<Allocation> = new
                .discounts
                .iter()
                .enumerate()
                .filter(|(_, discount)| index == 0 && !discount.shipping.is_zero())
                .map(|(application, discount)| Allocation { application, amount: exchange.pair(discount.shipping) })
                .collect();
            let value = line.price - off.iter().map(|one| one.amount.shop).sum::<Decimal>();
            shipping_lines.push(ShippingLine {
                id: self.ids.next("ShippingLine"),
                title: line.title.clone(),
                code: line.code.clone(),
                price: exchange.pair(line.price),
                allocations: off,
                taxes: taxes(value, &line.taxes, new.taxes_included, &exchange),
            });
        }
        let discounts = new.discounts.iter().map(|discount| DiscountApplication {
            kind: discount.kind,
            name: discount.name.clone(),
            value: discount.value,
            on_shipping: discount.lines.is_empty(),
            across: discount.lines.len() > 1,
        });
        let number = self.next_order_number;
        self.next_order_number += 1;
        let mut order = Order {
            id,
            number,
            token: format!("{:016x}{:016x}", id.wrapping_mul(0x9e37_79b9_7f4a_7c15), number),
            confirmation: format!("{:09X}", id.wrapping_mul(0x9e37_79b9) % 0x0010_0000_0000),
            created_at: now,
            updated_at: now,
            cancelled: None,
            closed_at: None,
            tip: exchange.pair(new.tip),
            exchange,
            taxes_included: new.taxes_included,
            customer: new.customer,
            email: new.email,
            phone: new.phone,
            locale: if new.locale.is_empty() { "en".into() } else { new.locale },
            note: new.note,
            tags: new.tags,
            billing: new.billing,
            shipping: new.shipping_address,
            lines,
            shipping_lines,
            discounts: discounts.collect(),
            transactions: Vec::new(),
            refunds: Vec::new(),
            fulfillment_orders: Vec::new(),
            fulfillments: Vec::new(),
            metafields: Vec::new(),
            edited: false,
            original_total: Pair::default(),
            skew: new.skew,
        };
        order.original_total = order.totals().total;
        for line in 0..order.lines.len() {
            let units = order.lines[line].quantity;
            self.route(&mut order, line, units, false);
        }
        let customer = order.customer;
        self.orders.insert(id, std::sync::Arc::new(order));
        match new.payment {
            Payment::None => {}
            Payment::Authorized => self.authorize(id),
            Payment::Paid => self.pay(id, TransactionKind::Sale),
        }
        self.events.retain(|event| {
            event.about != About::Order(id) && !matches!(event.about, About::Fulfillment(order, _) if order == id)
        });
        self.tell("orders/create", About::Order(id));
        if new.payment == Payment::Paid {
            self.tell("orders/paid", About::Order(id));
        }
        self.tell("orders/updated", About::Order(id));
        let handed: Vec<u64> = self.orders[&id].fulfillments.iter().map(|one| one.id).collect();
        for fulfillment in handed {
            self.tell("fulfillments/create", About::Fulfillment(id, fulfillment));
        }
        if let Some(customer) = customer.filter(|customer| self.customer_mut(*customer).is_some()) {
            self.tell("customers/update", About::Customer(customer));
        }
        id
    }

    pub(super) fn new_line(
        &mut self,
        index: usize,
        line: &NewLine,
        discounts: &[NewDiscount],
        included: bool,
        exchange: &Exchange,
    ) -> Line {
        let allocations: Vec<Allocation> = discounts
            .iter()
            .enumerate()
            .flat_map(|(application, discount)| {
                let mine = discount.lines.iter().filter(|(line, amount)| *line == index && !amount.is_zero());
                mine.map(move |(_, amount)| Allocation { application, amount: exchange.pair(*amount) })
            })
            .collect();
        let off: Decimal = allocations.iter().map(|one| one.amount.shop).sum();
        let value = line.price * Decimal::from(line.quantity) - off;
        let (id, duty_id) = (self.ids.next("LineItem"), self.ids.next("Duty"));
        let known = line.sku.as_deref().and_then(|sku| self.variant(|variant| variant.sku.as_deref() == Some(sku)));
        let duties = (!line.duty.is_zero()).then(|| Duty {
            id: duty_id,
            price: exchange.pair(line.duty),
            country: "AT".into(),
            harmonized_system_code: "620520".into(),
        });
        Line {
            id,
            variant_id: known.map(|(_, variant)| variant.id),
            product_id: known.map(|(product, _)| product.id),
            inventory_item_id: known.map(|(_, variant)| variant.inventory_item_id),
            sku: line.sku.clone(),
            title: known.map_or_else(|| line.title.clone(), |(product, _)| product.title.clone()),
            variant_title: known.map(|(_, variant)| variant.title.clone()).filter(|title| title != "Default Title"),
            vendor: known.map(|(product, _)| product.vendor.clone()),
            quantity: line.quantity,
            removed: 0,
            refunded: 0,
            fulfilled: 0,
            price: exchange.pair(line.price),
            allocations,
            taxes: taxes(value, &line.taxes, included, exchange),
            duties: duties.into_iter().collect(),
            requires_shipping: known.is_none_or(|(_, variant)| variant.requires_shipping),
            gift_card: known.is_some_and(|(product, _)| product.gift_card),
            taxable: !line.taxes.is_empty(),
            grams: known.map_or(200, |(_, variant)| variant.grams),
        }
    }
}
