//! A sale's amounts, as `sale.line.on_change_with_amount`, `account.tax.Tax.compute` and
//! `account.tax.TaxableMixin._get_taxes` make them.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use super::{
    TaxRounding,
    schema::{self, Model},
    store::Store,
    value::{Id, Value},
};

/// A sale's amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amounts {
    pub(super) untaxed: Decimal,
    pub(super) tax: Decimal,
    pub(super) total: Decimal,
}

/// A line's quantity × unit price, in the currency's precision.
pub(super) fn of_line(store: &Store, line: Id) -> Decimal {
    let lines = schema::known("sale.line");
    if store.value(lines, line, "type") != Value::text("line") {
        return Decimal::ZERO;
    }
    let digits = store.value(lines, line, "sale").as_id().and_then(|sale| currency_digits(store, sale));
    let amount = base(store, lines, line);
    digits.map_or(amount, |digits| round(amount, digits))
}

/// The amounts of a sale.
pub(super) fn of_sale(store: &Store, sale: Id) -> Amounts {
    let lines = store.pointing_to("sale.line", "sale", sale);
    let untaxed = lines.iter().map(|line| of_line(store, *line)).sum();
    let tax = taxes(store, &lines, currency_digits(store, sale).unwrap_or(2));
    Amounts { untaxed, tax, total: untaxed + tax }
}

fn base(store: &Store, lines: &Model, line: Id) -> Decimal {
    let number = |field: &str| store.value(lines, line, field).as_decimal().unwrap_or_default();
    number("quantity") * number("unit_price")
}

fn currency_digits(store: &Store, sale: Id) -> Option<u32> {
    let currency = store.value(schema::known("sale.sale"), sale, "currency").as_id()?;
    let digits = store.value(schema::known("currency.currency"), currency, "digits").as_id()?;
    u32::try_from(digits).ok()
}

/// A tax on lines with the same sign: Tryton keeps refunds apart.
type TaxKey = (Id, bool);

fn taxes(store: &Store, lines: &[Id], digits: u32) -> Decimal {
    let model = schema::known("sale.line");
    let mut groups: BTreeMap<(Vec<Id>, bool), Vec<Id>> = BTreeMap::new();
    for line in lines {
        if store.value(model, *line, "type") == Value::text("line") {
            let Value::Ids(taxes) = store.value(model, *line, "taxes") else { continue };
            groups.entry((taxes, base(store, model, *line) >= Decimal::ZERO)).or_default().push(*line);
        }
    }
    let mut total = Decimal::ZERO;
    for ((taxes, positive), lines) in groups {
        let mut sums: BTreeMap<TaxKey, Decimal> = BTreeMap::new();
        for line in lines {
            let mut of_line: BTreeMap<TaxKey, Decimal> = BTreeMap::new();
            for tax in &taxes {
                let rate = store.value(schema::known("account.tax"), *tax, "rate").as_decimal().unwrap_or_default();
                *of_line.entry((*tax, positive)).or_default() += base(store, model, line) * rate;
            }
            if store.tax_rounding == TaxRounding::Line {
                round_taxes(&mut of_line, digits);
            }
            for (key, amount) in of_line {
                *sums.entry(key).or_default() += amount;
            }
        }
        if store.tax_rounding == TaxRounding::Document {
            round_taxes(&mut sums, digits);
        }
        total += sums.values().sum::<Decimal>();
    }
    total
}

/// Rounds each amount and takes back what the roundings add up to beyond a whole unit.
fn round_taxes(taxes: &mut BTreeMap<TaxKey, Decimal>, digits: u32) {
    let unit = Decimal::new(1, digits);
    let mut remainder = Decimal::ZERO;
    for amount in taxes.values_mut() {
        let rounded = round(*amount, digits);
        remainder += rounded - *amount;
        *amount = rounded;
    }
    remainder = round(remainder, digits);
    while remainder.abs() >= unit && taxes.values().any(|amount| !amount.is_zero()) {
        let offset = if remainder.is_sign_negative() { -unit } else { unit };
        for amount in taxes.values_mut().filter(|amount| !amount.is_zero()) {
            *amount -= offset;
            remainder -= offset;
            if remainder.abs() < unit {
                break;
            }
        }
    }
}

/// `currency.currency.round`: half to even.
fn round(amount: Decimal, digits: u32) -> Decimal {
    let mut amount = amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointNearestEven);
    amount.rescale(digits);
    amount
}
