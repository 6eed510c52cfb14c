//! Totals are checked on the way in; a sum that does not hold is parked, never plugged.

use rust_decimal::Decimal;
use thiserror::Error;

use crate::{money::MoneyPair, order::Order};

/// A sum that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TotalsError {
    /// Lines − discounts + shipping + tax + duties + tip is not the stated total.
    #[error("lines − discounts + shipping + tax + duties + tip = {computed}, but the order states {stated} ({currency})")]
    Total {
        /// What the parts add up to.
        computed: Decimal,
        /// What the order states.
        stated: Decimal,
        /// In which currency.
        currency: String,
    },
    /// The lines do not add up to the stated sum of lines.
    #[error("the lines add up to {computed}, but the order states {stated}")]
    Lines {
        /// What the lines add up to.
        computed: Decimal,
        /// What the order states.
        stated: Decimal,
    },
    /// The line, shipping and stated taxes differ.
    #[error("the tax lines add up to {computed}, but the order states {stated}")]
    Tax {
        /// What the tax lines add up to.
        computed: Decimal,
        /// What the order states.
        stated: Decimal,
    },
    /// More went back than the order was worth.
    #[error("refunds of {refunded} exceed the total of {total}")]
    Refunds {
        /// What went back.
        refunded: Decimal,
        /// What the order was worth.
        total: Decimal,
    },
}

/// Checks an order's sums in the shop's currency and the stated ones in the buyer's.
///
/// # Errors
/// The first sum that does not hold.
pub fn check(order: &Order) -> Result<(), TotalsError> {
    let shop = |pair: &MoneyPair| pair.shop.amount;
    let lines: Decimal = order.lines.iter().map(|line| shop(&line.unit_price) * Decimal::from(line.quantity)).sum();
    let stated_lines = shop(&order.totals.lines);
    if lines != stated_lines {
        return Err(TotalsError::Lines { computed: lines, stated: stated_lines });
    }
    for (side, currency) in [
        (shop as fn(&MoneyPair) -> Decimal, order.currency),
        (|pair: &MoneyPair| pair.presentment.amount, order.presentment_currency),
    ] {
        let totals = &order.totals;
        let tax = if order.taxes_included { Decimal::ZERO } else { side(&totals.tax) };
        let computed = side(&totals.lines) - side(&totals.discounts)
            + side(&totals.shipping)
            + tax
            + totals.duties.as_ref().map_or(Decimal::ZERO, side)
            + totals.additional_fees.as_ref().map_or(Decimal::ZERO, side)
            + totals.cash_rounding.as_ref().map_or(Decimal::ZERO, side)
            + side(&totals.tip);
        let stated = side(&totals.total);
        if computed != stated {
            return Err(TotalsError::Total { computed, stated, currency: currency.to_string() });
        }
    }
    let taxes: Decimal = order
        .lines
        .iter()
        .flat_map(|line| &line.taxes)
        .chain(order.shipping_lines.iter().filter(|line| !line.removed).flat_map(|line| &line.taxes))
        .map(|tax| shop(&tax.amount))
        .sum();
    let stated_tax = shop(&order.totals.tax);
    if taxes != stated_tax {
        return Err(TotalsError::Tax { computed: taxes, stated: stated_tax });
    }
    let refunded: Decimal =
        order.refunds.iter().filter_map(|refund| refund.refunded.as_ref()).map(shop).sum();
    let total = shop(&order.totals.total);
    if refunded > total {
        return Err(TotalsError::Refunds { refunded, total });
    }
    Ok(())
}
