//! Amounts of a webhook body: `*_set` pairs where they are, else the plain field.

use waybill_domain::{Currency, Money, MoneyPair};

use super::{
    Problem,
    json::{Node, Read, Stop},
};
use crate::amount;

/// The two currencies of an order.
#[derive(Clone, Copy)]
pub(crate) struct Currencies {
    pub(crate) shop: Currency,
    pub(crate) presentment: Currency,
}

impl Currencies {
    pub(crate) fn zero(self) -> MoneyPair {
        amount::zero(self.shop, self.presentment)
    }

    /// The pair in `set`, else the amount in the plain field; `None` if neither is there.
    ///
    /// A plain amount is in the shop's currency. What the buyer saw is then known only if the order has one currency or
    /// the amount is zero; else the body does not carry it and the record must be read by API.
    pub(crate) fn optional(self, set: &Node<'_, '_>, plain: &Node<'_, '_>) -> Read<Option<MoneyPair>> {
        if let Some(set) = set.object()? {
            return pair(&set, Some(self.presentment)).map(Some);
        }
        match plain.decimal()? {
            None => Ok(None),
            Some(amount) => self.both(amount).map(Some),
        }
    }

    /// As [`Currencies::optional`], but one of the two must be there.
    pub(crate) fn required(self, set: &Node<'_, '_>, plain: &Node<'_, '_>) -> Read<MoneyPair> {
        self.optional(set, plain)?.ok_or_else(|| plain.wrong(Problem::Missing))
    }

    /// The sum of a list's amounts.
    pub(crate) fn sum(self, at: &Node<'_, '_>, pairs: impl IntoIterator<Item = MoneyPair>) -> Read<MoneyPair> {
        pairs
            .into_iter()
            .try_fold(self.zero(), |sum, pair| amount::plus(sum, pair).ok_or_else(|| at.wrong(Problem::CannotBeAdded)))
    }

    fn both(self, plain: rust_decimal::Decimal) -> Read<MoneyPair> {
        if self.shop == self.presentment || plain.is_zero() {
            Ok(MoneyPair { shop: amount::money(plain, self.shop), presentment: amount::money(plain, self.presentment) })
        } else {
            Err(Stop::NotWhole)
        }
    }
}

/// `{shop_money: {amount, currency_code}, presentment_money: {…}}`. A set without the buyer's side is whole only if the
/// buyer's currency is the shop's.
pub(crate) fn pair(set: &Node<'_, '_>, presentment: Option<Currency>) -> Read<MoneyPair> {
    let shop_node = set.at("shop_money");
    let shop = money(&shop_node)?.ok_or_else(|| shop_node.wrong(Problem::Missing))?;
    match money(&set.at("presentment_money"))? {
        Some(presentment) => Ok(MoneyPair { shop, presentment }),
        None if presentment.is_none_or(|currency| currency == shop.currency) => Ok(MoneyPair::same(shop)),
        None => Err(Stop::NotWhole),
    }
}

fn money(node: &Node<'_, '_>) -> Read<Option<Money>> {
    let Some(node) = node.object()? else {
        return Ok(None);
    };
    let amount_node = node.at("amount");
    let value = amount_node.decimal()?.ok_or_else(|| amount_node.wrong(Problem::Missing))?;
    // Transactions within refunds write `currency`.
    let code = if node.has("currency_code") { node.at("currency_code") } else { node.at("currency") };
    Ok(Some(amount::money(value, code.currency()?)))
}
