//! What a store needs before the first webhook: a working token, its scopes, the subscriptions. Can be run again.

use std::fmt;

use waybill_connector::Failure;

use crate::{
    Shopify,
    client::{API_VERSION, redacted, webhooks::SubscriptionInput},
    wire,
};

/// A line of what was found or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// It was as it should be.
    Fine(String),
    /// It was made so.
    Done(String),
    /// It is missing, and only a person can give it.
    Missing(String),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fine(text) => write!(f, "ok       {text}"),
            Self::Done(text) => write!(f, "done     {text}"),
            Self::Missing(text) => write!(f, "MISSING  {text}"),
        }
    }
}

/// The scopes that are needed, each with what it is for. Any one of a row's scopes will do.
///
/// Source: the descriptions of topics, queries and mutations in the schema of 2026-07.
const SCOPES: &[(&[&str], &str)] = &[
    (&["read_orders", "write_orders"], "orders and refunds"),
    (&["read_customers", "write_customers"], "customers"),
    (&["read_products", "write_products"], "products"),
    (&["write_products"], "setting prices"),
    (&["read_inventory", "write_inventory"], "stock levels"),
    (&["write_inventory"], "setting stock levels"),
    (&["read_locations", "write_locations"], "locations"),
    (&["read_fulfillments", "write_fulfillments"], "fulfilments"),
    (
        &[
            "write_merchant_managed_fulfillment_orders",
            "write_assigned_fulfillment_orders",
            "write_third_party_fulfillment_orders",
        ],
        "creating fulfilments",
    ),
];

/// The topics that are needed, by GraphQL's names.
const TOPICS: &[&str] = &[
    "ORDERS_CREATE",
    "ORDERS_UPDATED",
    "ORDERS_EDITED",
    "ORDERS_DELETE",
    "REFUNDS_CREATE",
    "FULFILLMENTS_CREATE",
    "FULFILLMENTS_UPDATE",
    "CUSTOMERS_CREATE",
    "CUSTOMERS_UPDATE",
    "CUSTOMERS_DELETE",
    "CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE",
    "CUSTOMER_TAGS_ADDED",
    "CUSTOMER_TAGS_REMOVED",
    "PRODUCTS_CREATE",
    "PRODUCTS_UPDATE",
    "PRODUCTS_DELETE",
    "INVENTORY_LEVELS_CONNECT",
    "INVENTORY_LEVELS_UPDATE",
    "INVENTORY_LEVELS_DISCONNECT",
];

impl Shopify {
    /// Checks token and scopes, subscribes to the webhooks that are missing at `callback_url` (https, such as
    /// `https://hooks.example.com/webhooks/main`) and corrects those that are wrong there or still lead to an earlier
    /// host. Other subscriptions of the app are left alone. Answers what was found and done.
    ///
    /// # Errors
    /// What keeps a call from being made; a subscription that Shopify refuses is a [`Line::Missing`].
    pub async fn set_up(&self, callback_url: &str) -> Result<Vec<Line>, Failure> {
        let shop = self.client.shop().await?;
        let mut lines = vec![Line::Fine(format!(
            "the token opens {} ({}), which sells in {}",
            shop.name, shop.myshopify_domain, shop.currency_code
        ))];
        lines.extend(check_scopes(&self.client.scopes().await?));
        lines.extend(self.audit_subscriptions(callback_url).await?);
        lines.push(Line::Fine(
            "the privacy topics customers/data_request, customers/redact and shop/redact cannot be subscribed to by \
             API: set them to the same address in the app's own settings"
                .to_owned(),
        ));
        Ok(lines)
    }

    /// Subscribes and corrects as [`Shopify::set_up`] does, and nothing else: a line per topic, and one for each
    /// subscription whose messages have another version than the documents here.
    ///
    /// # Errors
    /// As [`Shopify::set_up`].
    pub async fn audit_subscriptions(&self, callback_url: &str) -> Result<Vec<Line>, Failure> {
        let subscriptions = self.client.webhook_subscriptions().await?;
        let mut lines = Vec::new();
        for topic in TOPICS {
            lines.push(self.subscribe(topic, callback_url, &subscriptions).await?);
        }
        lines.extend(subscriptions.iter().filter(|one| one.uri == callback_url).filter_map(other_version));
        Ok(lines)
    }

    async fn subscribe(
        &self,
        topic: &str,
        callback_url: &str,
        subscriptions: &[wire::Subscription],
    ) -> Result<Line, Failure> {
        let wanted = SubscriptionInput { uri: callback_url, format: "JSON", filter: None, include_fields: Vec::new() };
        let (errors, done) = match standing(topic, callback_url, subscriptions) {
            Standing::Right => return Ok(Line::Fine(format!("webhook {topic}"))),
            Standing::Wrong(there) => (
                self.client.webhook_subscription_update(&there.id, &wanted).await?,
                format!("webhook {topic} corrected"),
            ),
            Standing::Absent => {
                (self.client.webhook_subscription_create(topic, &wanted).await?, format!("webhook {topic} subscribed"))
            }
        };
        if errors.is_empty() {
            return Ok(Line::Done(done));
        }
        let words = errors.iter().map(|error| redacted(&error.message)).collect::<Vec<_>>().join("; ");
        Ok(Line::Missing(format!("webhook {topic}: Shopify refuses it: {words}")))
    }
}

/// The version of a subscription's messages is the app's own setting.
///
/// Source: `WebhookSubscription.apiVersion` in the schema of 2026-07: "inherited from the app that created the webhook
/// subscription".
fn other_version(one: &wire::Subscription) -> Option<Line> {
    let version = &one.api_version.handle;
    (version != API_VERSION).then(|| {
        Line::Missing(format!(
            "webhook {}: its messages have version {version} instead of {API_VERSION}: set the webhooks' version in the \
             app's own settings",
            one.topic
        ))
    })
}

enum Standing<'a> {
    Right,
    Wrong(&'a wire::Subscription),
    Absent,
}

/// How a topic stands. A subscription of ours is known by its address; one with the same path on another host is ours
/// from before a move. What filters messages or leaves fields out would lose records.
fn standing<'a>(topic: &str, callback_url: &str, subscriptions: &'a [wire::Subscription]) -> Standing<'a> {
    let of_topic = || subscriptions.iter().filter(|one| one.topic == topic);
    let here = of_topic().find(|one| one.uri == callback_url);
    if let Some(there) = here {
        let whole = there.filter.as_deref().unwrap_or_default().is_empty() && there.include_fields.is_empty();
        return if whole && there.format == "JSON" { Standing::Right } else { Standing::Wrong(there) };
    }
    match of_topic().find(|one| path(&one.uri).is_some() && path(&one.uri) == path(callback_url)) {
        Some(moved) => Standing::Wrong(moved),
        None => Standing::Absent,
    }
}

fn path(url: &str) -> Option<&str> {
    let (_, after_scheme) = url.split_once("://")?;
    after_scheme.split_once('/').map(|(_, path)| path).filter(|path| !path.is_empty())
}

fn check_scopes(granted: &[String]) -> Vec<Line> {
    let has = |scope: &&str| granted.iter().any(|granted| granted == scope);
    let mut lines: Vec<Line> = SCOPES
        .iter()
        .map(|(any_of, what)| match any_of.iter().find(|scope| has(scope)) {
            Some(scope) => Line::Fine(format!("scope {scope}, for {what}")),
            None => Line::Missing(format!("scope {}, for {what}: add it to the app and install it again", any_of[0])),
        })
        .collect();
    if !has(&"read_all_orders") {
        lines.push(Line::Fine(
            "without the scope read_all_orders, orders older than 60 days cannot be read again".to_owned(),
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{API_VERSION, Line, SCOPES, Standing, check_scopes, other_version, standing};
    use crate::wire::{ApiVersion, Subscription};

    const HERE: &str = "https://new.example.com/webhooks/main";

    fn subscription(topic: &str, uri: &str) -> Subscription {
        Subscription {
            id: "gid://shopify/WebhookSubscription/1".to_owned(),
            topic: topic.to_owned(),
            uri: uri.to_owned(),
            format: "JSON".to_owned(),
            filter: None,
            include_fields: Vec::new(),
            api_version: ApiVersion { handle: API_VERSION.to_owned() },
        }
    }

    #[test]
    fn a_right_subscription_is_left_as_it_is() {
        let there = [subscription("ORDERS_CREATE", HERE)];
        assert!(matches!(standing("ORDERS_CREATE", HERE, &there), Standing::Right));
    }

    #[test]
    fn a_filter_would_lose_records_and_is_corrected() {
        let mut there = subscription("ORDERS_CREATE", HERE);
        there.filter = Some("total_price:>100".to_owned());
        assert!(matches!(standing("ORDERS_CREATE", HERE, &[there]), Standing::Wrong(_)));
    }

    #[test]
    fn fields_that_are_left_out_would_be_taken_for_cleared_and_are_corrected() {
        let mut there = subscription("ORDERS_CREATE", HERE);
        there.include_fields = vec!["id".to_owned()];
        assert!(matches!(standing("ORDERS_CREATE", HERE, &[there]), Standing::Wrong(_)));
    }

    #[test]
    fn an_address_from_before_a_move_is_corrected() {
        let there = [subscription("ORDERS_CREATE", "https://old.example.com/webhooks/main")];
        assert!(matches!(standing("ORDERS_CREATE", HERE, &there), Standing::Wrong(_)));
    }

    #[test]
    fn another_store_of_the_same_app_is_left_alone() {
        let there = [subscription("ORDERS_CREATE", "https://new.example.com/webhooks/wholesale")];
        assert!(matches!(standing("ORDERS_CREATE", HERE, &there), Standing::Absent));
    }

    #[test]
    fn messages_of_another_version_are_for_a_person_to_see_to() {
        let mut there = subscription("ORDERS_CREATE", HERE);
        assert_eq!(other_version(&there), None);
        there.api_version.handle = "2025-01".to_owned();
        let Some(Line::Missing(line)) = other_version(&there) else { panic!("a line") };
        assert!(line.contains("2025-01 instead of 2026-07"), "{line}");
    }

    #[test]
    fn a_missing_scope_is_named_with_what_it_is_for() {
        let granted: Vec<String> =
            SCOPES.iter().map(|(any_of, _)| any_of[0].to_owned()).filter(|scope| scope != "read_customers").collect();
        let missing: Vec<_> =
            check_scopes(&granted).into_iter().filter(|line| matches!(line, Line::Missing(_))).collect();
        let expected = "scope read_customers, for customers: add it to the app and install it again";
        assert_eq!(missing, [Line::Missing(expected.to_owned())]);
    }
}
