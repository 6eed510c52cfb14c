//! Money is a currency and an exact decimal.

use std::{fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why an amount or currency is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Not three upper-case letters.
    #[error("'{0}' is not a currency code: use three letters as in ISO 4217, such as EUR")]
    Currency(String),
    /// Not a decimal number that can be held exactly.
    #[error("'{0}' is not an exact decimal amount")]
    Amount(String),
    /// Two currencies in one sum.
    #[error("{0} and {1} cannot be added")]
    Mixed(Currency, Currency),
}

/// An ISO 4217 code, three upper-case letters. Codes are not checked against a list: Shopify adds new ones.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Digits after the point in this currency's smallest unit, after ISO 4217 (list one); 2 where it is not known.
    pub fn exponent(&self) -> u32 {
        match self.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
            | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(MoneyError::Currency(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount in a currency, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The amount, in the currency's main unit.
    pub amount: Decimal,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// An amount in a currency.
    pub const fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(Decimal::ZERO, currency)
    }

    /// Parses a vendor's decimal text.
    ///
    /// # Errors
    /// [`MoneyError::Amount`] if the text is no decimal or has more digits than are held exactly (28).
    pub fn parse(amount: &str, currency: Currency) -> Result<Self, MoneyError> {
        Decimal::from_str_exact(amount)
            .map(|amount| Self { amount, currency })
            .map_err(|_| MoneyError::Amount(amount.to_owned()))
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] if the currencies differ.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency == other.currency {
            Ok(Self::new(self.amount + other.amount, self.currency))
        } else {
            Err(MoneyError::Mixed(self.currency, other.currency))
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

/// The same amount as the shop books it and as the buyer saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MoneyPair {
    /// In the shop's currency.
    pub shop: Money,
    /// In the buyer's currency.
    pub presentment: Money,
}

impl MoneyPair {
    /// Both the same.
    pub const fn same(money: Money) -> Self {
        Self { shop: money, presentment: money }
    }
}

#[cfg(test)]
mod tests {
    use super::{Currency, Money, MoneyError};

    #[test]
    fn amounts_are_exact_and_currencies_do_not_mix() {
        let eur: Currency = "EUR".parse().unwrap();
        let usd: Currency = "USD".parse().unwrap();
        let sum = Money::parse("0.10", eur).unwrap().plus(Money::parse("0.20", eur).unwrap()).unwrap();
        assert_eq!(sum.to_string(), "0.30 EUR");
        assert_eq!(Money::zero(eur).plus(Money::zero(usd)), Err(MoneyError::Mixed(eur, usd)));
        assert!("eur".parse::<Currency>().is_err());
        assert!(Money::parse("1e5", eur).is_err());
        assert!(Money::parse("NaN", eur).is_err());
    }
}
