//! Webhook subscriptions. They belong to the app: others' are neither shown nor touched.

use serde::Serialize;
use serde_json::json;
use waybill_connector::{Effect, Failure};

use super::{Client, document};
use crate::wire;

/// What a subscription is to be.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionInput<'a> {
    pub(crate) uri: &'a str,
    pub(crate) format: &'static str,
    /// None: every message is sent.
    pub(crate) filter: Option<&'a str>,
    /// None: every field is sent.
    pub(crate) include_fields: Vec<String>,
}

impl Client {
    /// All webhook subscriptions of the app in the shop.
    pub(crate) async fn webhook_subscriptions(&self) -> Result<Vec<wire::Subscription>, Failure> {
        let (mut subscriptions, mut after) = (Vec::new(), None);
        loop {
            let data: wire::SubscriptionsData =
                self.read(document::WEBHOOK_SUBSCRIPTIONS, json!({ "after": after })).await?;
            after = data.webhook_subscriptions.page_info.next().map(str::to_owned);
            subscriptions.extend(data.webhook_subscriptions.nodes);
            if after.is_none() {
                return Ok(subscriptions);
            }
        }
    }

    /// Subscribes to a topic. A second subscription of the same topic to the same address is refused by Shopify, so
    /// that sending it twice does no harm.
    pub(crate) async fn webhook_subscription_create(
        &self,
        topic: &str,
        subscription: &SubscriptionInput<'_>,
    ) -> Result<Vec<wire::UserError>, Failure> {
        let variables = json!({ "topic": topic, "subscription": subscription });
        let data: wire::SubscriptionCreateData =
            self.run(Effect::IdempotentWrite, document::WEBHOOK_SUBSCRIPTION_CREATE, variables).await?;
        user_errors(data.webhook_subscription_create)
    }

    /// Changes a subscription.
    pub(crate) async fn webhook_subscription_update(
        &self,
        id: &str,
        subscription: &SubscriptionInput<'_>,
    ) -> Result<Vec<wire::UserError>, Failure> {
        let variables = json!({ "id": id, "subscription": subscription });
        let data: wire::SubscriptionUpdateData =
            self.run(Effect::IdempotentWrite, document::WEBHOOK_SUBSCRIPTION_UPDATE, variables).await?;
        user_errors(data.webhook_subscription_update)
    }
}

fn user_errors(payload: Option<wire::SubscriptionMutation>) -> Result<Vec<wire::UserError>, Failure> {
    payload
        .map(|payload| payload.user_errors)
        .ok_or_else(|| Failure::malformed("the answer about a webhook subscription has no payload", b""))
}
