//! Exact amounts in the shop's and the buyer's currency.

use std::{
    iter::Sum,
    ops::{Add, AddAssign, Neg, Sub, SubAssign},
};

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

/// The same amount as the shop books it and as the buyer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Pair {
    /// In the shop's currency.
    pub(crate) shop: Decimal,
    /// In the buyer's currency.
    pub(crate) presentment: Decimal,
}

impl Pair {
    /// A part of an amount that belongs to `whole` units: the share of `part` of them, rounded to the currency.
    pub(crate) fn share(self, part: i64, whole: i64, exchange: &Exchange) -> Self {
        if part == whole {
            return self;
        }
        if whole == 0 {
            return Self::default();
        }
        let of = |amount: Decimal, currency: &str| round(amount * Decimal::from(part) / Decimal::from(whole), currency);
        Self { shop: of(self.shop, &exchange.shop), presentment: of(self.presentment, &exchange.presentment) }
    }

    /// So many times the amount.
    pub(crate) fn times(self, count: i64) -> Self {
        let count = Decimal::from(count);
        Self { shop: self.shop * count, presentment: self.presentment * count }
    }

    /// Whether both are nothing.
    pub(crate) fn is_zero(self) -> bool {
        self.shop.is_zero() && self.presentment.is_zero()
    }
}

impl Add for Pair {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { shop: self.shop + other.shop, presentment: self.presentment + other.presentment }
    }
}

impl Sub for Pair {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { shop: self.shop - other.shop, presentment: self.presentment - other.presentment }
    }
}

impl Neg for Pair {
    type Output = Self;
    fn neg(self) -> Self {
        Self { shop: -self.shop, presentment: -self.presentment }
    }
}

impl AddAssign for Pair {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Pair {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Pair {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

/// An order's two currencies and the rate between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// The shop's currency.
    pub(crate) shop: String,
    /// The buyer's currency.
    pub(crate) presentment: String,
    /// Buyer's currency for one of the shop's.
    pub(crate) rate: Decimal,
}

impl Exchange {
    /// An amount of the shop's currency with its counterpart, rounded to the buyer's currency.
    pub(crate) fn pair(&self, shop: Decimal) -> Pair {
        Pair { shop, presentment: round(shop * self.rate, &self.presentment) }
    }

    /// `{"shop_money": {…}, "presentment_money": {…}}`, as webhook bodies write it.
    pub(crate) fn rest(&self, pair: Pair) -> Value {
        json!({
            "shop_money": {"amount": rest(pair.shop, &self.shop), "currency_code": self.shop},
            "presentment_money": {
                "amount": rest(pair.presentment, &self.presentment),
                "currency_code": self.presentment,
            },
        })
    }
}

/// Digits after the point in the currency's smallest unit (ISO 4217); 2 where it is not listed here.
pub(crate) fn exponent(currency: &str) -> u32 {
    match currency {
        "CLP" | "ISK" | "JPY" | "KRW" | "UGX" | "VND" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// Rounds half away from zero to the currency's smallest unit.
pub(crate) fn round(amount: Decimal, currency: &str) -> Decimal {
    amount.round_dp_with_strategy(exponent(currency), RoundingStrategy::MidpointAwayFromZero)
}

/// As webhook bodies write it: all digits of the currency's smallest unit, `10.00`.
pub(crate) fn rest(amount: Decimal, currency: &str) -> String {
    let digits = exponent(currency) as usize;
    format!("{amount:.digits$}")
}

/// As GraphQL's `Decimal` writes it: no trailing zeros but one digit after the point, `10.0`.
pub(crate) fn graphql(amount: Decimal) -> String {
    let amount = amount.normalize();
    if amount.scale() == 0 { format!("{amount}.0") } else { amount.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{Exchange, graphql, rest, round};

    #[test]
    fn amounts_are_written_as_shopify_writes_them() {
        assert_eq!(rest("10".parse().unwrap(), "EUR"), "10.00");
        assert_eq!(rest("1000".parse().unwrap(), "JPY"), "1000");
        assert_eq!(graphql("10.00".parse().unwrap()), "10.0");
        assert_eq!(graphql("949.95".parse().unwrap()), "949.95");
        assert_eq!(graphql("-0.50".parse().unwrap()), "-0.5");
        assert_eq!(round("2.345".parse().unwrap(), "EUR").to_string(), "2.35");
    }

    #[test]
    fn a_share_of_all_units_is_the_whole() {
        let exchange = Exchange { shop: "EUR".into(), presentment: "JPY".into(), rate: "162.3".parse().unwrap() };
        let pair = exchange.pair("10.01".parse().unwrap());
        assert_eq!(pair.presentment.to_string(), "1625");
        assert_eq!(pair.share(3, 3, &exchange), pair);
        assert_eq!(pair.share(1, 3, &exchange).shop.to_string(), "3.34");
    }
}
