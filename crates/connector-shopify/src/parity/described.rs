//! An order, described once and written in both forms.

use serde_json::{Value, json};

/// Hundredths, in the shop's and the buyer's currency.
pub(super) type Cents = (i64, i64);

#[derive(Debug, Clone)]
pub(super) struct Described {
    pub(super) presentment: &'static str,
    pub(super) taxes_included: bool,
    pub(super) tags: Vec<String>,
    pub(super) lines: Vec<Line>,
    pub(super) shipping: Vec<Cents>,
    pub(super) tip: Cents,
    pub(super) duties: Option<Cents>,
    pub(super) refunded: Option<i64>,
    pub(super) cancelled: bool,
    pub(super) customer: bool,
    pub(super) display_status: (&'static str, Option<&'static str>),
}

#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) id: u64,
    pub(super) quantity: i64,
    pub(super) price: Cents,
    pub(super) discounts: Vec<Cents>,
    pub(super) taxes: Vec<(u32, Cents)>,
    pub(super) duties: Vec<Cents>,
    pub(super) variant: Option<u64>,
    pub(super) grams: i64,
}

impl Line {
    /// Another one for each line, so that a line taken for another is seen.
    fn sku(&self) -> String {
        format!("TEE-{}", self.id)
    }
}

/// Webhooks write two decimals.
fn rest(cents: i64) -> String {
    format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100)
}

/// GraphQL writes no trailing zeros, but one decimal at least.
fn graphql(cents: i64) -> String {
    let text = rest(cents);
    text.strip_suffix('0').map(str::to_owned).unwrap_or(text)
}

impl Described {
    fn set(&self, cents: Cents) -> Value {
        json!({
            "shop_money": {"amount": rest(cents.0), "currency_code": "EUR"},
            "presentment_money": {"amount": rest(cents.1), "currency_code": self.presentment},
        })
    }

    fn bag(&self, cents: Cents) -> Value {
        json!({
            "shopMoney": {"amount": graphql(cents.0), "currencyCode": "EUR"},
            "presentmentMoney": {"amount": graphql(cents.1), "currencyCode": self.presentment},
        })
    }

    fn lines_total(&self) -> Cents {
        self.lines
            .iter()
            .fold((0, 0), |sum, line| (sum.0 + line.price.0 * line.quantity, sum.1 + line.price.1 * line.quantity))
    }

    /// A line as webhooks carry it: on its order, and within refunds.
    fn webhook_line(&self, line: &Line) -> Value {
        let taxes = |taxes: &[(u32, Cents)]| -> Vec<Value> {
            let tax = |(rate, cents): &(u32, Cents)| {
                let rate: Value = serde_json::from_str(&format!("0.{rate:03}")).unwrap();
                json!({"title": "VAT", "rate": rate, "price": rest(cents.0), "price_set": self.set(*cents)})
            };
            taxes.iter().map(tax).collect()
        };
        json!({
            "id": line.id, "admin_graphql_api_id": format!("gid://shopify/LineItem/{}", line.id),
            "variant_id": line.variant, "product_id": line.variant, "sku": line.sku(), "title": "Tee",
            "name": "Tee - M",
            "quantity": line.quantity, "current_quantity": line.quantity, "fulfillable_quantity": line.quantity,
            "price": rest(line.price.0), "price_set": self.set(line.price),
            "total_discount": "0.00", "total_discount_set": self.set((0, 0)),
            "discount_allocations": line.discounts.iter().map(|cents| {
                json!({"amount": rest(cents.0), "amount_set": self.set(*cents), "discount_application_index": 0})
            }).collect::<Vec<_>>(),
            "tax_lines": taxes(&line.taxes),
            "duties": line.duties.iter().map(|cents| {
                json!({"price_set": self.set(*cents), "tax_lines": taxes(&[(200, *cents)])})
            }).collect::<Vec<_>>(),
            "requires_shipping": true, "gift_card": false, "grams": line.grams,
        })
    }

    /// The refund of `refunded` as a webhook of its own tells it: one of the first line, if the order has lines.
    pub(super) fn webhook_refund(&self, cents: i64) -> Value {
        let lines = self.lines.first().map(|line| {
            json!({
                "id": 1, "line_item_id": line.id, "quantity": 1, "subtotal": 1.5, "subtotal_set": self.set((150, 150)),
                "total_tax": 0, "total_tax_set": self.set((0, 0)), "line_item": self.webhook_line(line),
            })
        });
        json!({
            "id": 9, "admin_graphql_api_id": "gid://shopify/Refund/9", "order_id": 6_108_220_031_101_u64,
            "created_at": "2026-07-01T10:03:00+02:00", "note": "Damaged", "total_duties_set": self.set((0, 0)),
            "refund_line_items": lines.into_iter().collect::<Vec<_>>(),
            "transactions": [
                {"kind": "refund", "status": "success", "amount": rest(cents), "currency": "EUR"},
                {"kind": "refund", "status": "failure", "amount": "999.00", "currency": "EUR"},
            ],
        })
    }

    pub(super) fn webhook(&self) -> Value {
        let shipping_lines = self.shipping.iter().enumerate().map(|(at, cents)| json!({
                "id": at + 1, "title": "Standard", "code": "std", "price": rest(cents.0), "price_set": self.set(*cents),
                "discounted_price": rest(cents.0), "discounted_price_set": self.set(*cents), "is_removed": false,
                "tax_lines": [],
            })).collect::<Vec<_>>();
        json!({
            "id": 6_108_220_031_101_u64, "admin_graphql_api_id": "gid://shopify/Order/6108220031101",
            "name": "#1001", "created_at": "2026-07-01T10:00:00+02:00", "processed_at": "2026-07-01T10:00:00+02:00",
            "updated_at": "2026-07-01T10:05:00+02:00", "closed_at": null,
            "cancelled_at": self.cancelled.then_some("2026-07-01T10:04:00+02:00"),
            "cancel_reason": self.cancelled.then_some("customer"),
            "currency": "EUR", "presentment_currency": self.presentment, "financial_status": "partially_paid",
            "fulfillment_status": self.display_status.1, "taxes_included": self.taxes_included, "test": false,
            "source_name": "web", "tags": self.tags.join(", "), "note": null, "customer_locale": "en",
            "email": "jo@example.com", "phone": null,
            "customer": self.customer.then(|| json!({
                "id": 7, "admin_graphql_api_id": "gid://shopify/Customer/7", "first_name": "Jo", "last_name": null,
                "email": "jo@example.com", "phone": "+4930123456",
            })),
            "billing_address": null,
            "shipping_address": {
                "first_name": "Jo", "last_name": "Doe", "company": null, "address1": "Way 1", "address2": "",
                "city": "Berlin", "zip": "10115", "province": null, "province_code": null, "country": "Germany",
                "country_code": "DE", "phone": null, "name": "Jo Doe", "latitude": 52.5, "longitude": 13.4,
            },
            "line_items": self.lines.iter().map(|line| self.webhook_line(line)).collect::<Vec<_>>(),
            "shipping_lines": shipping_lines,
            "refunds": self.refunded.map(|cents| self.webhook_refund(cents)).into_iter().collect::<Vec<_>>(),
            "total_line_items_price": rest(self.lines_total().0),
            "total_line_items_price_set": self.set(self.lines_total()),
            "total_discounts_set": self.set((50, 60)), "total_shipping_price_set": self.set((490, 520)),
            "total_tax_set": self.set((190, 200)),
            "original_total_duties_set": self.duties.map(|cents| self.set(cents)),
            "original_total_additional_fees_set": null, "total_tip_received": rest(self.tip.0),
            "total_cash_rounding_payment_adjustment_set": self.set((0, 0)),
            "total_price_set": self.set((5000, 5500)), "current_total_price_set": self.set((4000, 4400)),
        })
    }

    pub(super) fn answer(&self) -> Value {
        let line = |line: &Line| {
            let taxes = |taxes: &[(u32, Cents)]| -> Vec<Value> {
                let tax = |(rate, cents): &(u32, Cents)| {
                    let rate: Value = serde_json::from_str(&format!("0.{rate:03}")).unwrap();
                    json!({"title": "VAT", "rate": rate, "priceSet": self.bag(*cents)})
                };
                taxes.iter().map(tax).collect()
            };
            let variant = |object: &str| line.variant.map(|id| json!({"id": format!("gid://shopify/{object}/{id}")}));
            json!({
                "id": format!("gid://shopify/LineItem/{}", line.id), "sku": line.sku(), "title": "Tee",
                "quantity": line.quantity, "currentQuantity": line.quantity, "unfulfilledQuantity": line.quantity,
                "requiresShipping": true, "isGiftCard": false,
                "weight": {"unit": "KILOGRAMS", "value": line.grams as f64 / 1000.0},
                "variant": variant("ProductVariant"), "product": variant("Product"),
                "originalUnitPriceSet": self.bag(line.price), "totalDiscountSet": self.bag((0, 0)),
                "discountAllocations": line.discounts.iter().map(|cents| json!({"allocatedAmountSet": self.bag(*cents)}))
                    .collect::<Vec<_>>(),
                "taxLines": taxes(&line.taxes),
                "duties": line.duties.iter().map(|cents| {
                    json!({"price": self.bag(*cents), "taxLines": taxes(&[(200, *cents)])})
                }).collect::<Vec<_>>(),
            })
        };
        let shipping_lines = self
            .shipping
            .iter()
            .enumerate()
            .map(|(at, cents)| {
                json!({
                    "id": format!("gid://shopify/ShippingLine/{}", at + 1), "title": "Standard", "code": "std",
                    "isRemoved": false, "originalPriceSet": self.bag(*cents), "discountedPriceSet": self.bag(*cents),
                    "taxLines": [],
                })
            })
            .collect::<Vec<_>>();
        let refunds = self
            .refunded
            .iter()
            .map(|cents| {
                json!({
                    "id": "gid://shopify/Refund/9", "createdAt": "2026-07-01T08:03:00Z", "note": "Damaged",
                    "totalRefundedSet": self.bag((*cents, *cents)),
                    "lines": self.lines.iter().take(1).map(|line| json!({
                        "lineItem": {"id": format!("gid://shopify/LineItem/{}", line.id)}, "quantity": 1,
                        "subtotalSet": self.bag((150, 150)), "totalTaxSet": self.bag((0, 0)),
                    })).collect::<Vec<_>>(),
                })
            })
            .collect::<Vec<_>>();
        json!({"order": {
            "id": "gid://shopify/Order/6108220031101", "name": "#1001", "updatedAt": "2026-07-01T08:05:00Z",
            "createdAt": "2026-07-01T08:00:00Z", "processedAt": "2026-07-01T08:00:00Z",
            "cancelledAt": self.cancelled.then_some("2026-07-01T08:04:00Z"),
            "cancelReason": self.cancelled.then_some("CUSTOMER"), "closedAt": null, "currencyCode": "EUR",
            "presentmentCurrencyCode": self.presentment, "displayFinancialStatus": "PARTIALLY_PAID",
            "displayFulfillmentStatus": self.display_status.0, "taxesIncluded": self.taxes_included, "test": false,
            "sourceName": "web", "tags": self.tags, "note": null, "customerLocale": "en",
            "email": "jo@example.com", "phone": null,
            "customer": self.customer.then(|| json!({
                "id": "gid://shopify/Customer/7", "firstName": "Jo", "lastName": null,
                "defaultEmailAddress": {"emailAddress": "jo@example.com"},
                "defaultPhoneNumber": {"phoneNumber": "+4930123456"},
            })),
            "billingAddress": null,
            "shippingAddress": {
                "firstName": "Jo", "lastName": "Doe", "company": null, "address1": "Way 1", "address2": null,
                "city": "Berlin", "zip": "10115", "province": null, "provinceCode": null, "country": "Germany",
                "countryCodeV2": "DE", "phone": null,
            },
            "totalDiscountsSet": self.bag((50, 60)), "totalTaxSet": self.bag((190, 200)),
            "originalTotalDutiesSet": self.duties.map(|cents| self.bag(cents)),
            "totalTipReceivedSet": self.bag(self.tip), "originalTotalAdditionalFeesSet": null,
            "totalCashRoundingAdjustment": {"paymentSet": self.bag((0, 0))},
            "totalShippingPriceSet": self.bag((490, 520)), "totalPriceSet": self.bag((5000, 5500)),
            "currentTotalPriceSet": self.bag((4000, 4400)),
            "shippingLines": {"pageInfo": {"hasNextPage": false}, "nodes": shipping_lines},
            "refunds": refunds,
            "lineItems": {"pageInfo": {"hasNextPage": false, "endCursor": null},
                "nodes": self.lines.iter().map(line).collect::<Vec<_>>()},
        }})
    }
}
