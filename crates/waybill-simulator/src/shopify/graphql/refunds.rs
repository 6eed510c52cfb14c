//! `OrderTransaction` and `Refund`.

use std::sync::Arc;

use super::{
    Context,
    failure::Failure,
    node::{Arguments, Node, Out, bag, gid, leaf, money, optional, plain},
    orders::{shipping_line, upper},
    page::{Entry, Page},
};
use crate::shopify::{
    money::Pair,
    order::{Order, Refund, Transaction},
};

/// `OrderTransaction`.
pub(super) fn transaction(order: &Order, one: &Transaction) -> Out {
    let parent = order.transactions.iter().find(|other| Some(other.id) == one.parent);
    plain(
        "OrderTransaction",
        vec![
            ("id", gid("OrderTransaction", one.id)),
            ("kind", leaf(upper(one.kind.word()))),
            ("status", leaf("SUCCESS")),
            ("gateway", leaf("shopify_payments")),
            ("formattedGateway", leaf("Shopify Payments")),
            ("createdAt", leaf(one.at.utc())),
            ("processedAt", leaf(one.at.utc())),
            ("test", leaf(false)),
            ("manualPaymentGateway", leaf(false)),
            ("errorCode", Out::Null),
            ("paymentId", leaf(format!("{}.{}", order.name(), one.id % 100))),
            ("amountSet", bag(one.amount, &order.exchange)),
            ("amountRoundingSet", Out::Null),
            (
                "parentTransaction",
                parent.map_or(Out::Null, |parent| {
                    plain("OrderTransaction", vec![("id", gid("OrderTransaction", parent.id))])
                }),
            ),
        ],
    )
}

/// A field of `Refund`.
pub(crate) fn refund(
    context: &Context<'_>,
    order: &Arc<Order>,
    refund: &Refund,
    field: &str,
    given: &Arguments,
) -> Result<Out, Failure> {
    let exchange = &order.exchange;
    let place = |location: u64| context.state.borrow().locations.get(&location).cloned().map(Node::Location);
    let set = |pair: Pair| bag(pair, exchange);
    let moved = || order.transactions.iter().filter(|one| refund.transactions.contains(&one.id));
    let total: Pair = moved().map(|one| one.amount).sum();
    Ok(match field {
        "id" => gid("Refund", refund.id),
        "legacyResourceId" => leaf(refund.id.to_string()),
        "createdAt" | "updatedAt" | "processedAt" => leaf(refund.at.utc()),
        "note" => leaf(&refund.note),
        "order" => Out::Object(Node::Order(order.clone())),
        "duties" => Out::List(Vec::new()),
        "totalRefundedSet" => set(total),
        "totalRefunded" => money(total.shop, &exchange.shop),
        "transactions" => {
            let all = moved().map(|one| Entry::plain(one.id, transaction(order, one)));
            Page::of("OrderTransactionConnection", all.collect(), given)?
        }
        "refundLineItems" => {
            let all = refund.lines.iter().map(|one| {
                let each = one.subtotal.share(1, one.quantity, exchange);
                let fields = vec![
                    ("id", gid("RefundLineItem", one.id)),
                    ("lineItem", Out::Object(Node::Line(order.clone(), one.line))),
                    ("quantity", leaf(one.quantity)),
                    ("restockType", leaf(upper(one.restock.word()))),
                    ("restocked", leaf(one.location.is_some())),
                    ("location", optional(one.location.and_then(place))),
                    ("priceSet", set(each)),
                    ("subtotalSet", set(one.subtotal)),
                    ("totalTaxSet", set(one.tax)),
                ];
                Entry::plain(one.id, plain("RefundLineItem", fields))
            });
            Page::of("RefundLineItemConnection", all.collect(), given)?
        }
        "refundShippingLines" => {
            let all = refund.shipping.iter().filter_map(|one| {
                let line = order.shipping_lines.iter().find(|line| line.id == one.line)?;
                let fields = vec![
                    ("id", gid("RefundShippingLine", one.id)),
                    ("shippingLine", shipping_line(order, line)),
                    ("subtotalAmountSet", set(one.subtotal)),
                    ("taxAmountSet", set(one.tax)),
                ];
                Some(Entry::plain(one.id, plain("RefundShippingLine", fields)))
            });
            Page::of("RefundShippingLineConnection", all.collect(), given)?
        }
        "orderAdjustments" => {
            let all = refund.discrepancy.iter().map(|(id, amount)| {
                let fields = vec![
                    ("id", gid("OrderAdjustment", *id)),
                    ("amountSet", set(*amount)),
                    ("taxAmountSet", set(Pair::default())),
                    ("reason", leaf("REFUND_DISCREPANCY")),
                ];
                Entry::plain(*id, plain("OrderAdjustment", fields))
            });
            Page::of("OrderAdjustmentConnection", all.collect(), given)?
        }
        _ => return Err(Failure::unanswered("Refund", field)),
    })
}
