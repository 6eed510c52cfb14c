//! The sums of an order, computed from its parts each time.
//!
//! Which sum contains what is read in the schema's descriptions and in recorded edits: `totalPriceSet`, `totalTaxSet`
//! and `subtotalPriceSet` stay as they were when units are removed, and grow when units are added; `current…` follows.

use rust_decimal::Decimal;

use super::{Line, Order, ShippingLine, TaxLine};
use crate::shopify::money::{Exchange, Pair};

/// All sums of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    /// Units × price.
    pub(crate) lines: Pair,
    /// All discounts, on lines and on shipping.
    pub(crate) discounts: Pair,
    /// Lines after discounts.
    pub(crate) subtotal: Pair,
    /// Shipping before discounts.
    pub(crate) shipping: Pair,
    /// All taxes.
    pub(crate) tax: Pair,
    /// Import duties.
    pub(crate) duties: Pair,
    /// What the buyer was asked to pay.
    pub(crate) total: Pair,
    /// The same six after edits and refunds.
    pub(crate) current_discounts: Pair,
    pub(crate) current_subtotal: Pair,
    /// After discounts and refunds.
    pub(crate) current_shipping: Pair,
    pub(crate) current_tax: Pair,
    pub(crate) current_duties: Pair,
    pub(crate) current_total: Pair,
}

impl Line {
    /// Units still on the order.
    pub(crate) fn current(&self) -> i64 {
        self.quantity - self.removed - self.refunded
    }

    /// Units × price.
    pub(crate) fn gross(&self) -> Pair {
        self.price.times(self.quantity)
    }

    /// All discounts on the line.
    pub(crate) fn discount(&self) -> Pair {
        self.allocations.iter().map(|allocation| allocation.amount).sum()
    }

    /// All taxes on the line.
    pub(crate) fn tax(&self) -> Pair {
        self.taxes.iter().map(|tax| tax.price).sum()
    }

    /// All duties on the line.
    pub(crate) fn duty(&self) -> Pair {
        self.duties.iter().map(|duty| duty.price).sum()
    }

    /// Value and tax of some of its units, after discounts.
    pub(crate) fn worth(&self, units: i64, exchange: &Exchange) -> (Pair, Pair) {
        let value = (self.gross() - self.discount()).share(units, self.quantity, exchange);
        (value, self.tax().share(units, self.quantity, exchange))
    }
}

impl ShippingLine {
    /// All discounts on it.
    pub(crate) fn discount(&self) -> Pair {
        self.allocations.iter().map(|allocation| allocation.amount).sum()
    }

    /// All taxes on it.
    pub(crate) fn tax(&self) -> Pair {
        self.taxes.iter().map(|tax| tax.price).sum()
    }
}

impl Order {
    /// All sums.
    pub(crate) fn totals(&self) -> Totals {
        let exchange = &self.exchange;
        let mut totals = Totals::default();
        for line in &self.lines {
            let current = line.current();
            totals.lines += line.gross();
            totals.discounts += line.discount();
            totals.subtotal += line.gross() - line.discount();
            totals.tax += line.tax();
            totals.duties += line.duty();
            let (value, tax) = line.worth(current, exchange);
            totals.current_subtotal += value;
            totals.current_tax += tax;
            totals.current_discounts += line.discount().share(current, line.quantity, exchange);
            totals.current_duties += line.duty().share(current, line.quantity, exchange);
        }
        let (shipping_back, shipping_tax_back) = self.refunded_shipping();
        for line in &self.shipping_lines {
            totals.shipping += line.price;
            totals.discounts += line.discount();
            totals.tax += line.tax();
            totals.current_discounts += line.discount();
            totals.current_shipping += line.price - line.discount();
            totals.current_tax += line.tax();
        }
        totals.current_shipping -= shipping_back;
        totals.current_tax -= shipping_tax_back;
        let skew = Pair { shop: self.skew, presentment: self.skew };
        let tax_on_top = |tax: Pair| if self.taxes_included { Pair::default() } else { tax };
        totals.total = totals.lines - totals.discounts
            + totals.shipping
            + tax_on_top(totals.tax)
            + totals.duties
            + self.tip
            + skew;
        let all_back = self.lines.iter().all(|line| line.current() == 0) && !self.lines.is_empty();
        let tip = if all_back { Pair::default() } else { self.tip };
        totals.current_total = totals.current_subtotal
            + totals.current_shipping
            + tax_on_top(totals.current_tax)
            + totals.current_duties
            + tip
            + skew;
        totals
    }

    /// Shipping and its tax that went back.
    pub(crate) fn refunded_shipping(&self) -> (Pair, Pair) {
        let back = || self.refunds.iter().flat_map(|refund| &refund.shipping);
        (back().map(|one| one.subtotal).sum(), back().map(|one| one.tax).sum())
    }

    /// Whether a charge for shipping went back. It goes back as a whole.
    pub(crate) fn is_refunded(&self, line: &ShippingLine) -> bool {
        self.refunds.iter().flat_map(|refund| &refund.shipping).any(|one| one.line == line.id)
    }

    /// What a charge for shipping still comes to.
    pub(crate) fn current_price(&self, line: &ShippingLine) -> Pair {
        if self.is_refunded(line) { Pair::default() } else { line.price - line.discount() }
    }

    /// Taxes of all lines and shipping, one per title and rate; of what is still on the order if `current`.
    pub(crate) fn tax_lines(&self, current: bool) -> Vec<TaxLine> {
        let mut sums: Vec<TaxLine> = Vec::new();
        let mut add = |tax: &TaxLine, price: Pair| {
            if current && price.is_zero() {
                return;
            }
            match sums.iter_mut().find(|sum| sum.title == tax.title && sum.rate == tax.rate) {
                Some(sum) => sum.price += price,
                None => sums.push(TaxLine { price, ..tax.clone() }),
            }
        };
        for line in &self.lines {
            for tax in &line.taxes {
                let units = if current { line.current() } else { line.quantity };
                add(tax, tax.price.share(units, line.quantity, &self.exchange));
            }
        }
        let counts = |line: &&ShippingLine| !current || !self.is_refunded(line);
        for tax in self.shipping_lines.iter().filter(counts).flat_map(|line| &line.taxes) {
            add(tax, tax.price);
        }
        sums
    }

    /// Weight of all units in grams; of those still on the order if `current`.
    pub(crate) fn grams(&self, current: bool) -> i64 {
        self.lines.iter().map(|line| line.grams * if current { line.current() } else { line.quantity }).sum()
    }

    /// The tax of a price: on top of it, or within it where prices contain tax.
    pub(crate) fn tax_of(value: Decimal, rate: Decimal, all_rates: Decimal, included: bool) -> Decimal {
        if included { value * rate / (Decimal::ONE + all_rates) } else { value * rate }
    }
}
