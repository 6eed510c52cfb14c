//! Refunds, within an order's body and alone.

use rust_decimal::Decimal;
use waybill_domain::{
    Body, Kind, MoneyPair, RecordId,
    order::{OrderLine, Refund, RefundLine, TaxLine},
};

use super::{
    Parsed, Problem, Whole,
    json::{Node, Read, Stop},
    money::{self, Currencies},
    order,
};
use crate::amount;

/// A refund's own webhook: the refund is whole in itself, and its order changed in ways that the body does not show.
pub(super) fn read_alone(root: &Node<'_, '_>, id: RecordId) -> Read<Parsed> {
    let order = root.at("order_id");
    let order_id = order.id("Order")?.ok_or_else(|| order.wrong(Problem::Missing))?;
    let refetch = Parsed::Refetch { kind: Kind::Order, id: order_id.clone() };
    let refund = match stated_currencies(root)? {
        Some(currencies) => read(root, currencies, &order_id, &[]),
        None => Err(Stop::NotWhole),
    };
    match refund {
        Ok(refund) => {
            let source_updated_at = Some(refund.created_at);
            let whole = Whole { id, body: Body::Refund(refund), source_updated_at, lacks: &[] };
            Ok(Parsed::Several(vec![Parsed::Whole(Box::new(whole)), refetch]))
        }
        Err(Stop::NotWhole) => Ok(refetch),
        Err(stop) => Err(stop),
    }
}

/// A refund. `bought` are its order's lines, where the order is told with it.
pub(super) fn read(
    node: &Node<'_, '_>,
    currencies: Currencies,
    order_id: &RecordId,
    bought: &[OrderLine],
) -> Read<Refund> {
    let created = node.at("created_at");
    let created_at = match created.time()? {
        Some(time) => time,
        None => node.at("processed_at").time()?.ok_or_else(|| created.wrong(Problem::Missing))?,
    };
    Ok(Refund {
        id: node.own_id("Refund")?,
        order_id: order_id.clone(),
        created_at,
        refunded: refunded(node, currencies)?,
        lines: node.at("refund_line_items").items(|line| read_line(&line, currencies, bought))?,
        note: node.at("note").text()?,
    })
}

fn read_line(node: &Node<'_, '_>, currencies: Currencies, bought: &[OrderLine]) -> Read<RefundLine> {
    let own = node.at("line_item");
    let line_id = match own.object()? {
        Some(line) => line.own_id("LineItem")?,
        None => {
            let id = node.at("line_item_id");
            id.id("LineItem")?.ok_or_else(|| id.wrong(Problem::Missing))?
        }
    };
    let (sku, title, taxes) = match bought.iter().find(|line| line.id == line_id) {
        Some(line) => (line.sku.clone(), line.title.clone(), line.taxes.clone()),
        None => read_item(&own, currencies)?,
    };
    Ok(RefundLine {
        line_id,
        sku,
        title,
        taxes,
        quantity: node.at("quantity").quantity()?,
        subtotal: currencies.required(&node.at("subtotal_set"), &node.at("subtotal"))?,
        tax: currencies
            .optional(&node.at("total_tax_set"), &node.at("total_tax"))?
            .unwrap_or_else(|| currencies.zero()),
    })
}

/// What the refund's line itself tells of the order's line. A body that leaves it out does not carry all of the refund.
fn read_item(item: &Node<'_, '_>, currencies: Currencies) -> Read<(String, String, Vec<TaxLine>)> {
    if !["sku", "title", "tax_lines"].iter().all(|field| item.has(field)) {
        return Err(Stop::NotWhole);
    }
    Ok((item.at("sku").text()?, item.at("title").text()?, order::line_taxes(item, currencies)?))
}

/// What went back: successful transactions only. They state the buyer's currency alone, so that an order in two
/// currencies must be read by API.
fn refunded(node: &Node<'_, '_>, currencies: Currencies) -> Read<Option<MoneyPair>> {
    let transactions = node.at("transactions");
    if !node.has("transactions") {
        return Err(Stop::NotWhole);
    }
    let amounts = transactions.items(|transaction| {
        if transaction.at("kind").word()? != "refund" || transaction.at("status").word()? != "success" {
            return Ok(Decimal::ZERO);
        }
        let amount = transaction.at("amount");
        amount.decimal()?.ok_or_else(|| amount.wrong(Problem::Missing))
    })?;
    let total = amounts
        .into_iter()
        .try_fold(Decimal::ZERO, Decimal::checked_add)
        .ok_or_else(|| transactions.wrong(Problem::CannotBeAdded))?;
    if total.is_zero() {
        Ok(None)
    } else if currencies.shop == currencies.presentment {
        Ok(Some(MoneyPair::same(amount::money(total, currencies.shop))))
    } else {
        Err(Stop::NotWhole)
    }
}

/// The order's currencies as a refund alone shows them: by its lines, else by its duties.
fn stated_currencies(root: &Node<'_, '_>) -> Read<Option<Currencies>> {
    let of = |set: &Node<'_, '_>| -> Read<Option<Currencies>> {
        let Some(set) = set.object()? else {
            return Ok(None);
        };
        let pair = money::pair(&set, None)?;
        Ok(Some(Currencies { shop: pair.shop.currency, presentment: pair.presentment.currency }))
    };
    let by_lines = root.at("refund_line_items").items(|line| of(&line.at("subtotal_set")))?;
    match by_lines.into_iter().flatten().next() {
        Some(currencies) => Ok(Some(currencies)),
        None => of(&root.at("total_duties_set")),
    }
}
