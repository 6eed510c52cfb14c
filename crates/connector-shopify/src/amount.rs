//! Amounts in one form, whichever way they came: webhooks write `10.00`, GraphQL answers `10.0`.

use rust_decimal::Decimal;
use waybill_domain::{Currency, Money, MoneyPair};

/// The amount with as many decimals as its currency has, or more if it needs them; never fewer than it needs. So the
/// same amount has the same text on both ways, and keys made of documents do not change with the way.
pub(crate) fn money(amount: Decimal, currency: Currency) -> Money {
    let mut amount = plain(amount);
    if amount.scale() < currency.exponent() {
        amount.rescale(currency.exponent());
    }
    Money::new(amount, currency)
}

/// A number without trailing zeros and without a negative zero.
pub(crate) fn plain(number: Decimal) -> Decimal {
    let mut number = number.normalize();
    if number.is_zero() {
        number = Decimal::ZERO;
    }
    number
}

/// An amount whose currency is not stated beside it, such as a product's price: two decimals or as many as it needs.
pub(crate) fn price(amount: Decimal) -> Decimal {
    let mut amount = plain(amount);
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    amount
}

/// Nothing, in both currencies.
pub(crate) fn zero(shop: Currency, presentment: Currency) -> MoneyPair {
    MoneyPair { shop: money(Decimal::ZERO, shop), presentment: money(Decimal::ZERO, presentment) }
}

/// The sum of two pairs, amount by amount; `None` if a currency differs or the sum cannot be held exactly.
pub(crate) fn plus(a: MoneyPair, b: MoneyPair) -> Option<MoneyPair> {
    Some(MoneyPair { shop: add(a.shop, b.shop)?, presentment: add(a.presentment, b.presentment)? })
}

/// A pair so many times; `None` if the product cannot be held exactly.
pub(crate) fn times(pair: MoneyPair, quantity: i64) -> Option<MoneyPair> {
    let times = |m: Money| Some(money(m.amount.checked_mul(Decimal::from(quantity))?, m.currency));
    Some(MoneyPair { shop: times(pair.shop)?, presentment: times(pair.presentment)? })
}

fn add(a: Money, b: Money) -> Option<Money> {
    (a.currency == b.currency).then_some(())?;
    Some(money(a.amount.checked_add(b.amount)?, a.currency))
}

/// `None` for nothing at all: the same whether the source leaves such an amount out or states a zero.
pub(crate) fn some(pair: MoneyPair) -> Option<MoneyPair> {
    (!pair.shop.amount.is_zero() || !pair.presentment.amount.is_zero()).then_some(pair)
}

#[cfg(test)]
mod tests {
    use super::money;

    #[test]
    fn both_ways_of_writing_an_amount_give_one_text() {
        for (text, currency, expected) in [
            ("10.0", "EUR", "10.00"),
            ("10.00", "EUR", "10.00"),
            ("10", "JPY", "10"),
            ("10.000", "JPY", "10"),
            ("1.2345", "EUR", "1.2345"),
            ("-0.00", "EUR", "0.00"),
            ("1.5", "KWD", "1.500"),
        ] {
            let amount = money(text.parse().unwrap(), currency.parse().unwrap()).amount;
            assert_eq!(amount.to_string(), expected, "{text} {currency}");
        }
    }
}
