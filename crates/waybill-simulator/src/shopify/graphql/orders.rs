//! `Order`, `LineItem`, `Refund` and what is inside them.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    Context,
    failure::Failure,
    node::{Arguments, Node, Out, bag, count, gid, leaf, money, optional, plain, texts},
    page::{Entry, Page},
    people::{address, metafield, metafields},
    refunds::transaction,
};
use crate::shopify::{
    money::{Exchange, Pair, graphql},
    order::{Allocation, DiscountApplication, DiscountKind, DiscountValue, Line, Order, Refund, ShippingLine, TaxLine},
};

pub(super) fn upper(word: &str) -> String {
    word.to_uppercase()
}

/// A field of `Order`.
pub(crate) fn order(context: &Context<'_>, order: &Arc<Order>, field: &str, given: &Arguments) -> Result<Out, Failure> {
    let totals = order.totals();
    let exchange = &order.exchange;
    let set = |pair: Pair| bag(pair, exchange);
    let duties = |pair: Pair| if order.lines.iter().all(|line| line.duties.is_empty()) { Out::Null } else { set(pair) };
    Ok(match field {
        "id" => gid("Order", order.id),
        "legacyResourceId" => leaf(order.id.to_string()),
        "name" => leaf(order.name()),
        "number" => leaf(order.number),
        "confirmationNumber" => leaf(&order.confirmation),
        "confirmed" => leaf(true),
        "createdAt" | "processedAt" => leaf(order.created_at.utc()),
        "updatedAt" => leaf(order.updated_at.utc()),
        "cancelledAt" => leaf(order.cancelled.map(|(at, _)| at.utc())),
        "cancelReason" => leaf(order.cancelled.map(|(_, reason)| upper(reason))),
        "closed" => leaf(order.closed_at.is_some()),
        "closedAt" => leaf(order.closed_at.map(|at| at.utc())),
        "currencyCode" => leaf(&exchange.shop),
        "presentmentCurrencyCode" => leaf(&exchange.presentment),
        "displayFinancialStatus" => leaf(upper(order.financial_status())),
        "displayFulfillmentStatus" => leaf(match order.fulfillment_status() {
            None => "UNFULFILLED",
            Some("partial") => "PARTIALLY_FULFILLED",
            Some(_) => "FULFILLED",
        }),
        "returnStatus" => leaf("NO_RETURN"),
        "taxesIncluded" => leaf(order.taxes_included),
        "dutiesIncluded" | "estimatedTaxes" | "taxExempt" | "test" | "customerAcceptsMarketing" => leaf(false),
        "edited" => leaf(order.edited),
        "sourceName" => leaf("web"),
        "sourceIdentifier" | "poNumber" | "clientIp" | "cartToken" | "retailLocation" | "physicalLocation" => Out::Null,
        "checkoutToken" => leaf(&order.token),
        "tags" => texts(&order.tags),
        "note" => leaf(&order.note),
        "customerLocale" => leaf(&order.locale),
        "email" => leaf(&order.email),
        "phone" => leaf(&order.phone),
        "customAttributes" | "additionalFees" => Out::List(Vec::new()),
        "customer" => {
            let state = context.state.borrow();
            optional(order.customer.and_then(|id| state.customers.get(&id).cloned()).map(Node::Customer))
        }
        "billingAddress" => address(order.id, order.billing.as_ref()),
        "shippingAddress" | "displayAddress" => address(order.id, order.shipping.as_ref()),
        "billingAddressMatchesShippingAddress" => leaf(order.billing == order.shipping),
        "lineItems" => {
            let lines = order.lines.iter().map(|line| Entry::by_id(line.id, Node::Line(order.clone(), line.id)));
            Page::of("LineItemConnection", lines.collect(), given)?
        }
        "agreements" => agreements(order, given)?,
        "shippingLine" => order.shipping_lines.first().map_or(Out::Null, |line| shipping_line(order, line)),
        "shippingLines" => {
            let lines = order.shipping_lines.iter().map(|line| Entry::plain(line.id, shipping_line(order, line)));
            Page::of("ShippingLineConnection", lines.collect(), given)?
        }
        "requiresShipping" => leaf(order.lines.iter().any(|line| line.requires_shipping)),
        "fulfillable" => leaf(order.fulfillable()),
        "fullyPaid" => leaf(order.received().shop >= totals.total.shop),
        "unpaid" => leaf(order.received().is_zero()),
        "paymentGatewayNames" => texts(&order.payment_gateways()),
        "discountCode" => leaf(codes(order).next()),
        "discountCodes" => texts(&codes(order).collect::<Vec<_>>()),
        "taxLines" => tax_lines(order, &order.tax_lines(false)),
        "currentTaxLines" => tax_lines(order, &order.tax_lines(true)),
        "subtotalLineItemsQuantity" => leaf(order.lines.iter().map(|line| line.quantity).sum::<i64>()),
        "currentSubtotalLineItemsQuantity" => leaf(order.lines.iter().map(Line::current).sum::<i64>()),
        "totalWeight" => leaf(order.grams(false).to_string()),
        "currentTotalWeight" => leaf(order.grams(true).to_string()),
        "subtotalPriceSet" => set(totals.subtotal),
        "totalDiscountsSet" => set(totals.discounts),
        "cartDiscountAmountSet" => set(across(order)),
        "totalShippingPriceSet" => set(totals.shipping),
        "totalTaxSet" => set(totals.tax),
        "totalPriceSet" => set(totals.total),
        "originalTotalPriceSet" => set(order.original_total),
        "originalTotalDutiesSet" => duties(totals.duties),
        "originalTotalAdditionalFeesSet" | "currentTotalAdditionalFeesSet" => Out::Null,
        "currentSubtotalPriceSet" => set(totals.current_subtotal),
        "currentTotalDiscountsSet" => set(totals.current_discounts),
        "currentShippingPriceSet" => set(totals.current_shipping),
        "currentTotalTaxSet" => set(totals.current_tax),
        "currentTotalDutiesSet" => duties(totals.current_duties),
        "currentTotalPriceSet" => set(totals.current_total),
        "totalCashRoundingAdjustment" => plain(
            "CashRoundingAdjustment",
            vec![("paymentSet", set(Pair::default())), ("refundSet", set(Pair::default()))],
        ),
        "totalTipReceivedSet" => set(order.tip),
        "totalTipReceived" => money(order.tip.shop, &exchange.shop),
        "totalReceivedSet" => set(order.received()),
        "totalRefundedSet" => set(order.refunded()),
        "totalRefundedShippingSet" => set(order.refunded_shipping().0),
        "totalCapturableSet" => set(order.capturable()),
        "totalOutstandingSet" => set(order.outstanding()),
        "netPaymentSet" => set(order.received() - order.refunded()),
        "capturable" => leaf(!order.capturable().is_zero()),
        "canMarkAsPaid" => leaf(order.received().is_zero() && order.cancelled.is_none()),
        "refundable" => leaf(!(order.received() - order.refunded()).is_zero()),
        "transactions" => {
            let first = given.get("first").and_then(Value::as_u64).map_or(usize::MAX, |first| first as usize);
            Out::List(order.transactions.iter().take(first).map(|one| transaction(order, one)).collect())
        }
        "transactionsCount" => count(order.transactions.len()),
        "refunds" => {
            let first = given.get("first").and_then(Value::as_u64).map_or(usize::MAX, |first| first as usize);
            let node = |refund: &Refund| Out::Object(Node::Refund(order.clone(), Arc::new(refund.clone())));
            Out::List(order.refunds.iter().take(first).map(node).collect())
        }
        "fulfillments" => {
            let first = given.get("first").and_then(Value::as_u64).map_or(usize::MAX, |first| first as usize);
            let all = order.fulfillments.iter().take(first);
            Out::List(all.map(|one| Out::Object(Node::Fulfillment(order.clone(), Arc::new(one.clone())))).collect())
        }
        "fulfillmentsCount" => count(order.fulfillments.len()),
        "fulfillmentOrders" => {
            let all = order.fulfillment_orders.iter();
            let all = all.map(|one| Entry::by_id(one.id, Node::FulfillmentOrder(order.clone(), Arc::new(one.clone()))));
            Page::of("FulfillmentOrderConnection", all.collect(), given)?
        }
        "metafield" => metafield(&order.metafields, given),
        "metafields" => metafields(&order.metafields, given)?,
        _ => return Err(Failure::unanswered("Order", field)),
    })
}

fn codes(order: &Order) -> impl Iterator<Item = &str> {
    order.discounts.iter().filter(|one| one.kind == DiscountKind::Code).map(|one| one.name.as_str())
}

/// What was agreed: the order itself, and each of its refunds.
fn agreements(order: &Arc<Order>, given: &Arguments) -> Result<Out, Failure> {
    let placed = Entry::plain(order.id, plain("OrderAgreement", vec![("id", gid("SalesAgreement", order.id))]));
    let refunds = order.refunds.iter().map(|refund| {
        let told = Out::Object(Node::Refund(order.clone(), Arc::new(refund.clone())));
        let fields = vec![("id", gid("SalesAgreement", refund.id)), ("refund", told)];
        Entry::plain(refund.id, plain("RefundAgreement", fields))
    });
    Page::of("SalesAgreementConnection", [placed].into_iter().chain(refunds).collect(), given)
}

fn across(order: &Order) -> Pair {
    let shared = |one: &&Allocation| order.discounts.get(one.application).is_some_and(|of| of.across);
    order.lines.iter().flat_map(|line| &line.allocations).filter(shared).map(|one| one.amount).sum()
}

/// A field of `LineItem`.
pub(crate) fn line(context: &Context<'_>, order: &Arc<Order>, id: u64, field: &str) -> Result<Out, Failure> {
    let exchange = &order.exchange;
    let Some(line) = order.line(id) else { return Ok(Out::Null) };
    let set = |pair: Pair| bag(pair, exchange);
    // Line-level discounts only, without those by code, as the schema says.
    let own = |codes: bool| {
        let counts = |one: &&Allocation| {
            order
                .discounts
                .get(one.application)
                .is_some_and(|of| !of.across && (codes || of.kind != DiscountKind::Code))
        };
        line.allocations.iter().filter(counts).map(|one| one.amount).sum::<Pair>()
    };
    let known = || {
        let state = context.state.borrow();
        line.variant_id.and_then(|id| super::catalog::find(&state, |variant| variant.id == id))
    };
    Ok(match field {
        "id" => gid("LineItem", line.id),
        "title" => leaf(&line.title),
        "name" => {
            let variant = line.variant_title.as_deref();
            leaf(variant.map_or_else(|| line.title.clone(), |variant| format!("{} - {variant}", line.title)))
        }
        "variantTitle" => leaf(&line.variant_title),
        "vendor" => leaf(&line.vendor),
        "sku" => leaf(&line.sku),
        "quantity" => leaf(line.quantity),
        "currentQuantity" | "refundableQuantity" => leaf(line.current()),
        "fulfillableQuantity" => leaf(order.fulfillable_quantity(line.id)),
        "unfulfilledQuantity" => leaf((line.current() - line.fulfilled).max(0)),
        "nonFulfillableQuantity" => leaf(line.removed + line.refunded),
        "fulfillmentStatus" => leaf(match line.fulfilled {
            0 => "unfulfilled",
            sent if sent >= line.current() => "fulfilled",
            _ => "partial",
        }),
        "requiresShipping" => leaf(line.requires_shipping),
        "isGiftCard" => leaf(line.gift_card),
        "taxable" => leaf(line.taxable),
        "restockable" | "canRestock" | "merchantEditable" => leaf(line.fulfilled == 0),
        "customAttributes" => Out::List(Vec::new()),
        "lineItemGroup" => Out::Null,
        "originalUnitPriceSet" => set(line.price),
        "originalTotalSet" => set(line.gross()),
        "totalDiscountSet" => set(own(true)),
        "discountedTotalSet" => set(line.gross() - own(false)),
        "discountedUnitPriceSet" => set((line.gross() - own(false)).share(1, line.quantity, exchange)),
        "discountedUnitPriceAfterAllDiscountsSet" => {
            set((line.gross() - line.discount()).share(1, line.quantity, exchange))
        }
        "priceAfterAllDiscountsBeforeTaxesSet" => {
            let (value, tax) = line.worth(line.current(), exchange);
            set(if order.taxes_included { value - tax } else { value })
        }
        "discountAllocations" => allocations(order, &line.allocations),
        "taxLines" => tax_lines(order, &line.taxes),
        "duties" => Out::List(
            line.duties
                .iter()
                .map(|duty| {
                    plain(
                        "Duty",
                        vec![
                            ("id", gid("Duty", duty.id)),
                            ("price", set(duty.price)),
                            ("countryCodeOfOrigin", leaf(&duty.country)),
                            ("harmonizedSystemCode", leaf(&duty.harmonized_system_code)),
                            ("taxLines", Out::List(Vec::new())),
                        ],
                    )
                })
                .collect(),
        ),
        "weight" => weight(line.grams),
        "variant" => optional(known().map(|(product, at)| Node::Variant(product, at))),
        "product" => optional(known().map(|(product, _)| Node::Product(product))),
        _ => return Err(Failure::unanswered("LineItem", field)),
    })
}

/// `Weight`, in grams.
pub(crate) fn weight(grams: i64) -> Out {
    plain("Weight", vec![("unit", leaf("GRAMS")), ("value", leaf(grams))])
}

fn tax_lines(order: &Order, taxes: &[TaxLine]) -> Out {
    let line = |tax: &TaxLine| {
        let number =
            |number: Decimal| serde_json::from_str::<Value>(&number.normalize().to_string()).unwrap_or(Value::Null);
        plain(
            "TaxLine",
            vec![
                ("title", leaf(&tax.title)),
                ("rate", leaf(number(tax.rate))),
                ("ratePercentage", leaf(number(tax.rate * Decimal::ONE_HUNDRED))),
                ("priceSet", bag(tax.price, &order.exchange)),
                ("price", leaf(graphql(tax.price.shop))),
                ("channelLiable", leaf(false)),
                ("source", Out::Null),
            ],
        )
    };
    Out::List(taxes.iter().map(line).collect())
}

fn allocations(order: &Order, allocations: &[Allocation]) -> Out {
    let allocation = |one: &Allocation| {
        let of = order.discounts.get(one.application);
        plain(
            "DiscountAllocation",
            vec![
                ("allocatedAmountSet", bag(one.amount, &order.exchange)),
                ("allocatedAmount", money(one.amount.shop, &order.exchange.shop)),
                ("discountApplication", of.map_or(Out::Null, |of| application(one.application, of, &order.exchange))),
            ],
        )
    };
    Out::List(allocations.iter().map(allocation).collect())
}

fn application(index: usize, discount: &DiscountApplication, exchange: &Exchange) -> Out {
    let (type_name, named) = match discount.kind {
        DiscountKind::Code => ("DiscountCodeApplication", "code"),
        DiscountKind::Manual => ("ManualDiscountApplication", "title"),
        DiscountKind::Automatic => ("AutomaticDiscountApplication", "title"),
    };
    let value = match discount.value {
        DiscountValue::Percentage(percent) => {
            let percent: Value = serde_json::from_str(&percent.to_string()).unwrap_or(Value::Null);
            plain("PricingPercentageValue", vec![("percentage", leaf(percent))])
        }
        DiscountValue::Fixed(amount) => money(amount, &exchange.shop),
    };
    plain(
        type_name,
        vec![
            ("index", leaf(index)),
            ("allocationMethod", leaf(if discount.across { "ACROSS" } else { "EACH" })),
            ("targetSelection", leaf(if discount.across || discount.on_shipping { "ALL" } else { "ENTITLED" })),
            ("targetType", leaf(if discount.on_shipping { "SHIPPING_LINE" } else { "LINE_ITEM" })),
            ("value", value),
            (named, leaf(&discount.name)),
        ],
    )
}

pub(super) fn shipping_line(order: &Order, line: &ShippingLine) -> Out {
    let set = |pair: Pair| bag(pair, &order.exchange);
    let discounted = line.price - line.discount();
    plain(
        "ShippingLine",
        vec![
            ("id", gid("ShippingLine", line.id)),
            ("title", leaf(&line.title)),
            ("code", leaf(&line.code)),
            ("source", leaf("shopify")),
            ("custom", leaf(false)),
            ("isRemoved", leaf(false)),
            ("carrierIdentifier", Out::Null),
            ("deliveryCategory", Out::Null),
            ("phone", Out::Null),
            ("originalPriceSet", set(line.price)),
            ("discountedPriceSet", set(discounted)),
            ("currentDiscountedPriceSet", set(order.current_price(line))),
            ("discountAllocations", allocations(order, &line.allocations)),
            ("taxLines", tax_lines(order, &line.taxes)),
        ],
    )
}
