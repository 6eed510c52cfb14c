//! Totals are checked on the way in; a sum that does not hold is parked, never plugged.

use rust_decimal::Decimal;
use thiserror::Error;

use crate::{money::MoneyPair, order::Order};

/// A sum that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TotalsError {
    /// Lines − discounts + shipping + tax + duties + tip is not the stated total.
    #[error(
        "lines − discounts + shipping + tax + duties + tip = {computed}, but the order states {stated} ({currency})"
    )]
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
    /// Quantities and prices beyond what is held exactly.
    #[error("quantities and prices multiply to more than can be held exactly")]
    Overflow,
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
/// The first sum that does not hold, or [`TotalsError::Overflow`].
pub fn check(order: &Order) -> Result<(), TotalsError> {
    let shop = |pair: &MoneyPair| pair.shop.amount;
    let mut values = Vec::with_capacity(order.lines.len());
    for line in &order.lines {
        let value = shop(&line.unit_price).checked_mul(Decimal::from(line.quantity)).ok_or(TotalsError::Overflow)?;
        values.push(value);
    }
    let lines = sum(values)?;
    let stated_lines = shop(&order.totals.lines);
    if lines != stated_lines {
        return Err(TotalsError::Lines { computed: lines, stated: stated_lines });
    }
    for (side, currency) in [
        (shop as fn(&MoneyPair) -> Decimal, order.currency),
        (|pair: &MoneyPair| pair.presentment.amount, order.presentment_currency),
    ] {
        let totals = &order.totals;
        let opt = |pair: &Option<MoneyPair>| pair.as_ref().map_or(Decimal::ZERO, side);
        let computed = sum([
            side(&totals.lines),
            -side(&totals.discounts),
            side(&totals.shipping),
            if order.taxes_included { Decimal::ZERO } else { side(&totals.tax) },
            opt(&totals.duties),
            opt(&totals.additional_fees),
            opt(&totals.cash_rounding),
            side(&totals.tip),
        ])?;
        let stated = side(&totals.total);
        if computed != stated {
            return Err(TotalsError::Total { computed, stated, currency: currency.to_string() });
        }
    }
    let of_lines = order.lines.iter().flat_map(|line| &line.taxes);
    let of_shipping = order.shipping_lines.iter().filter(|line| !line.removed).flat_map(|line| &line.taxes);
    let taxes = sum(of_lines.chain(of_shipping).map(|tax| shop(&tax.amount)))?;
    let stated_tax = shop(&order.totals.tax);
    if taxes != stated_tax {
        return Err(TotalsError::Tax { computed: taxes, stated: stated_tax });
    }
    let refunded = sum(order.refunds.iter().filter_map(|refund| refund.refunded.as_ref()).map(shop))?;
    let total = shop(&order.totals.total);
    if refunded > total {
        return Err(TotalsError::Refunds { refunded, total });
    }
    Ok(())
}

fn sum(amounts: impl IntoIterator<Item = Decimal>) -> Result<Decimal, TotalsError> {
    amounts.into_iter().try_fold(Decimal::ZERO, |sum, amount| sum.checked_add(amount)).ok_or(TotalsError::Overflow)
}
