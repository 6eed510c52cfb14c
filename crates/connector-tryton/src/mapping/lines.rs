//! The lines and charges of orders and refunds as lines of a sale, to the cent.

use rust_decimal::{Decimal, RoundingStrategy};
use waybill_connector::Failure;
use waybill_domain::document::{ChargeDocument, OrderDocument, RefundDocument};

use crate::wire::LineRow;

/// A line of a sale before its item and taxes have ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SaleLine {
    /// Where it comes from: `lines.0`, `charges.0`.
    pub(crate) origin: String,
    /// The product's code.
    pub(crate) item: String,
    /// What the buyer saw.
    pub(crate) description: String,
    /// Whole units; below 0 they come back.
    pub(crate) quantity: i64,
    /// Of one, after discount, without tax.
    pub(crate) unit_price: Decimal,
    /// The taxes' names, sorted.
    pub(crate) taxes: Vec<String>,
}

/// The lines of an order's sale.
///
/// # Errors
/// `unmapped` for a taxed line without a tax code.
pub(crate) fn of_order(document: &OrderDocument, price_digits: u32) -> Result<Vec<SaleLine>, Failure> {
    let digits = document.currency.exponent();
    let mut lines = Vec::new();
    for (at, line) in document.lines.iter().enumerate() {
        let origin = format!("lines.{at}");
        let taxes = taxes(&origin, line.tax, &line.tax_codes)?;
        let priced = priced(line.net, line.quantity, price_digits, digits);
        lines.extend(sold(&origin, &line.item, &line.title, &taxes, priced));
    }
    for (at, charge) in document.charges.iter().enumerate() {
        lines.push(charged(at, charge, 1, written(charge.net, digits))?);
    }
    Ok(lines)
}

/// The lines of a refund's sale: what comes back has a negative quantity, as in Tryton's own returns. What is kept
/// back is sold.
///
/// # Errors
/// `unmapped` for a taxed line without a tax code.
pub(crate) fn of_refund(document: &RefundDocument, price_digits: u32) -> Result<Vec<SaleLine>, Failure> {
    let digits = document.currency.exponent();
    let mut lines = Vec::new();
    for (at, line) in document.lines.iter().enumerate() {
        let origin = format!("lines.{at}");
        let taxes = taxes(&origin, line.tax, &line.tax_codes)?;
        let priced = priced(line.net, line.quantity, price_digits, digits);
        let back = priced.into_iter().map(|(quantity, price)| (-quantity, price)).collect();
        lines.extend(sold(&origin, &line.item, &line.title, &taxes, back));
    }
    for (at, charge) in document.charges.iter().enumerate() {
        let quantity = if charge.net.is_sign_negative() { 1 } else { -1 };
        lines.push(charged(at, charge, quantity, written(charge.net.abs(), digits))?);
    }
    Ok(lines)
}

fn sold(origin: &str, item: &str, title: &str, taxes: &[String], priced: Vec<(i64, Decimal)>) -> Vec<SaleLine> {
    let line = |(quantity, unit_price)| SaleLine {
        origin: origin.to_owned(),
        item: item.to_owned(),
        description: title.to_owned(),
        quantity,
        unit_price,
        taxes: taxes.to_vec(),
    };
    priced.into_iter().map(line).collect()
}

fn charged(at: usize, charge: &ChargeDocument, quantity: i64, unit_price: Decimal) -> Result<SaleLine, Failure> {
    let origin = format!("charges.{at}");
    Ok(SaleLine {
        item: charge.item.clone(),
        description: charge.title.clone(),
        quantity,
        unit_price,
        taxes: taxes(&origin, charge.tax, &charge.tax_codes)?,
        origin,
    })
}

fn taxes(origin: &str, tax: Decimal, codes: &[String]) -> Result<Vec<String>, Failure> {
    if codes.is_empty() && !tax.is_zero() {
        let message = "the line is taxed, but the plan's table gives it no tax in Tryton";
        return Err(Failure::rejected("unmapped", format!("{origin}.tax_codes"), message));
    }
    let mut codes = codes.to_vec();
    codes.sort();
    codes.dedup();
    Ok(codes)
}

/// The quantities and unit prices that come to `net` when Tryton multiplies and rounds them
/// (`sale.line.on_change_with_amount`, half to even). A unit price has so many digits; where no such price comes to
/// `net`, which needs more than 100 units, the last unit takes the rest.
fn priced(net: Decimal, quantity: i64, price_digits: u32, digits: u32) -> Vec<(i64, Decimal)> {
    if quantity <= 0 {
        return vec![(quantity, written(Decimal::ZERO, digits))];
    }
    let price = (net / Decimal::from(quantity)).round_dp(price_digits);
    if amount(price, quantity, digits) == net || quantity == 1 {
        return vec![(quantity, written(price, digits))];
    }
    let rest = net - amount(price, quantity - 1, digits);
    vec![(quantity - 1, written(price, digits)), (1, written(rest, digits))]
}

fn amount(price: Decimal, quantity: i64, digits: u32) -> Decimal {
    (price * Decimal::from(quantity)).round_dp_with_strategy(digits, RoundingStrategy::MidpointNearestEven)
}

/// With the currency's digits at least, and no zeros beyond them.
fn written(price: Decimal, digits: u32) -> Decimal {
    let mut price = price.normalize();
    if price.scale() < digits {
        price.rescale(digits);
    }
    price
}

/// What differs between a document's lines and a sale's, whatever their order: the document's name of it
/// (`lines.0.quantity`), or `lines` for one that is no longer wanted.
pub(crate) fn difference(lines: &[SaleLine], rows: &[LineRow]) -> Option<String> {
    let mut left: Vec<&LineRow> = rows.iter().collect();
    let mut unmatched = Vec::new();
    for line in lines {
        match left.iter().position(|row| is_line(line, row)) {
            Some(at) => {
                left.remove(at);
            }
            None => unmatched.push(line),
        }
    }
    match unmatched.first() {
        Some(line) => Some(format!("{}{}", line.origin, what_differs(line, &left))),
        None if left.is_empty() => None,
        None => Some("lines".to_owned()),
    }
}

fn is_line(line: &SaleLine, row: &LineRow) -> bool {
    is_item(line, row)
        && row.quantity == Some(Decimal::from(line.quantity))
        && row.unit_price == Some(line.unit_price)
        && tax_names(row) == line.taxes
}

fn is_item(line: &SaleLine, row: &LineRow) -> bool {
    row.product.as_ref().and_then(|product| product.code.as_deref()) == Some(line.item.as_str())
}

fn tax_names(row: &LineRow) -> Vec<String> {
    let mut names: Vec<String> = row.taxes.iter().filter_map(|tax| tax.name.clone()).collect();
    names.sort();
    names
}

fn what_differs(line: &SaleLine, rows: &[&LineRow]) -> &'static str {
    match rows.iter().find(|row| is_item(line, row)) {
        None => "",
        Some(row) if row.quantity != Some(Decimal::from(line.quantity)) => ".quantity",
        Some(row) if row.unit_price != Some(line.unit_price) => ".unit_price",
        Some(_) => ".tax_codes",
    }
}

/// Whether the descriptions are the document's too, in its order.
pub(crate) fn described_alike(lines: &[SaleLine], rows: &[LineRow]) -> bool {
    lines.len() == rows.len()
        && lines.iter().zip(rows).all(|(line, row)| super::same_text(&line.description, row.description.as_deref()))
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::{amount, priced};

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_unit_price_comes_to_the_net_amount() {
        assert_eq!(priced(decimal("37.00"), 2, 4, 2), [(2, decimal("18.50"))]);
        assert_eq!(priced(decimal("10.00"), 3, 4, 2), [(3, decimal("3.3333"))]);
        assert_eq!(priced(decimal("0"), 3, 4, 2), [(3, decimal("0.00"))]);
    }

    #[test]
    fn every_net_amount_of_any_quantity_is_met_to_the_cent() {
        for quantity in (1..400).chain([999, 1000, 4999]) {
            for cents in [1, 99, 1000, 9_999, 12_345, 1_000_001] {
                let net = Decimal::new(cents, 2);
                let lines = priced(net, quantity, 4, 2);
                let sum: Decimal = lines.iter().map(|(quantity, price)| amount(*price, *quantity, 2)).sum();
                assert_eq!(sum, net, "{cents} cents for {quantity}");
                assert_eq!(lines.iter().map(|(quantity, _)| quantity).sum::<i64>(), quantity);
                assert!(lines.iter().all(|(_, price)| price.scale() <= 4), "{lines:?}");
            }
        }
    }

    #[test]
    fn a_currency_without_cents_has_none() {
        assert_eq!(priced(decimal("1000"), 3, 4, 0), [(3, decimal("333.3333"))]);
    }
}
