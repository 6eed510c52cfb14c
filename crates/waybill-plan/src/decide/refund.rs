//! Refunds: what went back to the buyer of an order that the system holds.

use minijinja::Value;
use rust_decimal::Decimal;
use waybill_domain::{
    Kind, ObjectKey, RecordKey, Snapshot,
    document::{ChargeDocument, RefundDocument, RefundedLineDocument},
    order::{Order, Refund, RefundLine},
};

use super::{Edits, Unfit, fields, merge, order};
use crate::{plan::Flow, view};

pub(super) fn document(
    flow: &Flow,
    snapshot: &Snapshot,
    refund: &Refund,
    order: &Order,
    view: &Value,
    edits: &Edits<'_>,
) -> Result<RefundDocument, Unfit> {
    let mut lines = Vec::with_capacity(refund.lines.len());
    for (index, line) in refund.lines.iter().enumerate().filter(|(_, line)| line.quantity > 0) {
        lines.push(line_document(flow, snapshot, order, (index, line), view, edits)?);
    }
    let total = refund.refunded.map_or(Decimal::ZERO, |refunded| refunded.shop.amount);
    let total_tax: Decimal = lines.iter().map(|line| line.tax).sum();
    let of_lines: Decimal = lines.iter().map(|line| line.net + line.tax).sum();
    // Shipping, an allowance, or a fee that was kept back: the store states it as no line.
    let rest = total - of_lines;
    let mut charges = Vec::new();
    if !rest.is_zero() {
        charges.push(ChargeDocument {
            key: ObjectKey::new(&snapshot.key, "adjustment"),
            item: order::charge_item(flow, "adjustment", rest, edits)?,
            title: "adjustment".to_owned(),
            net: rest,
            tax: Decimal::ZERO,
            tax_codes: Vec::new(),
        });
    }
    let order_key = RecordKey { store: snapshot.key.store.clone(), kind: Kind::Order, id: refund.order_id.clone() };
    Ok(RefundDocument {
        key: ObjectKey::new(&snapshot.key, "refund"),
        order_key: ObjectKey::new(&order_key, "order"),
        source_id: refund.id.clone(),
        order_source_id: refund.order_id.clone(),
        refunded_at: refund.created_at,
        currency: order.currency,
        lines,
        charges,
        total,
        total_tax,
        fields: fields(&flow.fields, view, edits, "")?,
        policy: merge::policy(flow, view)?,
    })
}

fn line_document(
    flow: &Flow,
    snapshot: &Snapshot,
    order: &Order,
    (index, line): (usize, &RefundLine),
    view: &Value,
    edits: &Edits<'_>,
) -> Result<RefundedLineDocument, Unfit> {
    let at = |what: &str| format!("lines.{index}.{what}");
    let view = view::with(view, "line", view::line(line));
    let missing = || format!("line {} of the refund has no SKU", index + 1);
    let item = match &flow.lines {
        None if line.sku.is_empty() => Err(Unfit::new("missing_sku", at("item"), missing())),
        None => Ok(line.sku.clone()),
        Some(lines) => order::item(lines, &view, &at("item"), missing),
    };
    let item = edits.text_of(line.line_id.as_str(), format_args!("lines.{index}.item"), item)?;
    let (subtotal, tax) = (line.subtotal.shop.amount, line.tax.shop.amount);
    Ok(RefundedLineDocument {
        key: ObjectKey::new(&snapshot.key, &format!("line-{}", line.line_id)),
        source_id: line.line_id.clone(),
        item,
        title: line.title.clone(),
        quantity: line.quantity,
        // Where prices contain tax, so does what went back for a line.
        net: if order.taxes_included { subtotal - tax } else { subtotal },
        tax,
        tax_codes: order::tax_codes(
            flow.lines.as_ref(),
            &line.taxes,
            &view,
            (line.line_id.as_str(), &at("tax")),
            edits,
        )?,
    })
}
