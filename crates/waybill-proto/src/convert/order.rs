//! Orders and refunds.

use waybill_domain::order::{
    FinancialStatus, Order, OrderLine, OrderTotals, Refund, RefundLine, ShippingLine, TaxLine,
};

use super::scalars::{
    WireError, decimal, from_timestamp, from_timestamp_opt, need, pair, pair_opt, parse, parse_opt, to_timestamp,
};
use crate::wire;

fn all<W, D: TryFrom<W, Error = WireError>>(list: Vec<W>) -> Result<Vec<D>, WireError> {
    list.into_iter().map(TryInto::try_into).collect()
}

impl From<&TaxLine> for wire::TaxLine {
    fn from(tax: &TaxLine) -> Self {
        Self { title: tax.title.clone(), rate: tax.rate.to_string(), amount: Some(tax.amount.into()) }
    }
}

impl TryFrom<wire::TaxLine> for TaxLine {
    type Error = WireError;
    fn try_from(tax: wire::TaxLine) -> Result<Self, WireError> {
        Ok(Self { rate: decimal("tax.rate", &tax.rate)?, amount: pair("tax.amount", tax.amount)?, title: tax.title })
    }
}

impl From<&OrderLine> for wire::OrderLine {
    fn from(line: &OrderLine) -> Self {
        Self {
            id: line.id.to_string(),
            variant_id: line.variant_id.as_ref().map(ToString::to_string),
            product_id: line.product_id.as_ref().map(ToString::to_string),
            sku: line.sku.clone(),
            title: line.title.clone(),
            quantity: line.quantity,
            current_quantity: line.current_quantity,
            fulfillable_quantity: line.fulfillable_quantity,
            unit_price: Some(line.unit_price.into()),
            discount: Some(line.discount.into()),
            taxes: line.taxes.iter().map(Into::into).collect(),
            duties: line.duties.iter().copied().map(Into::into).collect(),
            requires_shipping: line.requires_shipping,
            gift_card: line.gift_card,
            grams: line.grams,
        }
    }
}

impl TryFrom<wire::OrderLine> for OrderLine {
    type Error = WireError;
    fn try_from(line: wire::OrderLine) -> Result<Self, WireError> {
        Ok(Self {
            id: parse("line.id", &line.id)?,
            variant_id: parse_opt("line.variant_id", line.variant_id.as_ref())?,
            product_id: parse_opt("line.product_id", line.product_id.as_ref())?,
            sku: line.sku,
            title: line.title,
            quantity: line.quantity,
            current_quantity: line.current_quantity,
            fulfillable_quantity: line.fulfillable_quantity,
            unit_price: pair("line.unit_price", line.unit_price)?,
            discount: pair("line.discount", line.discount)?,
            taxes: all(line.taxes)?,
            duties: all(line.duties)?,
            requires_shipping: line.requires_shipping,
            gift_card: line.gift_card,
            grams: line.grams,
        })
    }
}

impl From<&ShippingLine> for wire::ShippingLine {
    fn from(line: &ShippingLine) -> Self {
        Self {
            id: line.id.to_string(),
            title: line.title.clone(),
            code: line.code.clone(),
            price: Some(line.price.into()),
            discounted_price: Some(line.discounted_price.into()),
            taxes: line.taxes.iter().map(Into::into).collect(),
            removed: line.removed,
        }
    }
}

impl TryFrom<wire::ShippingLine> for ShippingLine {
    type Error = WireError;
    fn try_from(line: wire::ShippingLine) -> Result<Self, WireError> {
        Ok(Self {
            id: parse("shipping_line.id", &line.id)?,
            title: line.title,
            code: line.code,
            price: pair("shipping_line.price", line.price)?,
            discounted_price: pair("shipping_line.discounted_price", line.discounted_price)?,
            taxes: all(line.taxes)?,
            removed: line.removed,
        })
    }
}

impl From<&OrderTotals> for wire::OrderTotals {
    fn from(totals: &OrderTotals) -> Self {
        Self {
            lines: Some(totals.lines.into()),
            discounts: Some(totals.discounts.into()),
            shipping: Some(totals.shipping.into()),
            tax: Some(totals.tax.into()),
            duties: totals.duties.map(Into::into),
            tip: Some(totals.tip.into()),
            additional_fees: totals.additional_fees.map(Into::into),
            cash_rounding: totals.cash_rounding.map(Into::into),
            total: Some(totals.total.into()),
            current_total: Some(totals.current_total.into()),
        }
    }
}

impl TryFrom<wire::OrderTotals> for OrderTotals {
    type Error = WireError;
    fn try_from(totals: wire::OrderTotals) -> Result<Self, WireError> {
        Ok(Self {
            lines: pair("totals.lines", totals.lines)?,
            discounts: pair("totals.discounts", totals.discounts)?,
            shipping: pair("totals.shipping", totals.shipping)?,
            tax: pair("totals.tax", totals.tax)?,
            duties: pair_opt(totals.duties)?,
            tip: pair("totals.tip", totals.tip)?,
            additional_fees: pair_opt(totals.additional_fees)?,
            cash_rounding: pair_opt(totals.cash_rounding)?,
            total: pair("totals.total", totals.total)?,
            current_total: pair("totals.current_total", totals.current_total)?,
        })
    }
}

impl From<&Refund> for wire::Refund {
    fn from(refund: &Refund) -> Self {
        Self {
            id: refund.id.to_string(),
            order_id: refund.order_id.to_string(),
            created_at: Some(to_timestamp(refund.created_at)),
            refunded: refund.refunded.map(Into::into),
            lines: refund
                .lines
                .iter()
                .map(|line| wire::RefundLine {
                    line_id: line.line_id.to_string(),
                    quantity: line.quantity,
                    subtotal: Some(line.subtotal.into()),
                    tax: Some(line.tax.into()),
                    sku: line.sku.clone(),
                    title: line.title.clone(),
                    taxes: line.taxes.iter().map(Into::into).collect(),
                })
                .collect(),
            note: refund.note.clone(),
        }
    }
}

impl TryFrom<wire::Refund> for Refund {
    type Error = WireError;
    fn try_from(refund: wire::Refund) -> Result<Self, WireError> {
        Ok(Self {
            id: parse("refund.id", &refund.id)?,
            order_id: parse("refund.order_id", &refund.order_id)?,
            created_at: from_timestamp("refund.created_at", &need("refund.created_at", refund.created_at)?)?,
            refunded: pair_opt(refund.refunded)?,
            lines: refund
                .lines
                .into_iter()
                .map(|line| {
                    Ok(RefundLine {
                        line_id: parse("refund.line_id", &line.line_id)?,
                        sku: line.sku,
                        title: line.title,
                        taxes: all(line.taxes)?,
                        quantity: line.quantity,
                        subtotal: pair("refund.subtotal", line.subtotal)?,
                        tax: pair("refund.tax", line.tax)?,
                    })
                })
                .collect::<Result<_, WireError>>()?,
            note: refund.note,
        })
    }
}

impl From<&Order> for wire::Order {
    fn from(order: &Order) -> Self {
        Self {
            id: order.id.to_string(),
            name: order.name.clone(),
            created_at: Some(to_timestamp(order.created_at)),
            processed_at: Some(to_timestamp(order.processed_at)),
            cancelled_at: order.cancelled_at.map(to_timestamp),
            cancel_reason: order.cancel_reason.clone(),
            closed_at: order.closed_at.map(to_timestamp),
            currency: order.currency.to_string(),
            presentment_currency: order.presentment_currency.to_string(),
            financial_status: order.financial_status.as_str().to_owned(),
            fulfillment_status: order.fulfillment_status.clone(),
            taxes_included: order.taxes_included,
            test: order.test,
            source_name: order.source_name.clone(),
            tags: order.tags.clone(),
            note: order.note.clone(),
            locale: order.locale.clone(),
            customer: order.customer.as_ref().map(Into::into),
            email: order.email.expose().to_owned(),
            phone: order.phone.expose().to_owned(),
            billing_address: order.billing_address.as_ref().map(Into::into),
            shipping_address: order.shipping_address.as_ref().map(Into::into),
            lines: order.lines.iter().map(Into::into).collect(),
            shipping_lines: order.shipping_lines.iter().map(Into::into).collect(),
            refunds: order.refunds.iter().map(Into::into).collect(),
            totals: Some((&order.totals).into()),
        }
    }
}

impl TryFrom<wire::Order> for Order {
    type Error = WireError;
    fn try_from(order: wire::Order) -> Result<Self, WireError> {
        Ok(Self {
            id: parse("order.id", &order.id)?,
            name: order.name,
            created_at: from_timestamp("order.created_at", &need("order.created_at", order.created_at)?)?,
            processed_at: from_timestamp("order.processed_at", &need("order.processed_at", order.processed_at)?)?,
            cancelled_at: from_timestamp_opt("order.cancelled_at", order.cancelled_at.as_ref())?,
            cancel_reason: order.cancel_reason,
            closed_at: from_timestamp_opt("order.closed_at", order.closed_at.as_ref())?,
            currency: parse("order.currency", &order.currency)?,
            presentment_currency: parse("order.presentment_currency", &order.presentment_currency)?,
            financial_status: FinancialStatus::from_word(&order.financial_status),
            fulfillment_status: order.fulfillment_status,
            taxes_included: order.taxes_included,
            test: order.test,
            source_name: order.source_name,
            tags: order.tags,
            note: order.note,
            locale: order.locale,
            customer: order.customer.map(TryInto::try_into).transpose()?,
            email: order.email.into(),
            phone: order.phone.into(),
            billing_address: order.billing_address.map(Into::into),
            shipping_address: order.shipping_address.map(Into::into),
            lines: all(order.lines)?,
            shipping_lines: all(order.shipping_lines)?,
            refunds: all(order.refunds)?,
            totals: need("order.totals", order.totals)?.try_into()?,
        })
    }
}
