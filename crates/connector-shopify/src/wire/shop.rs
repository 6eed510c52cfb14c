//! The shop, the app's installation in it, and its webhook subscriptions.

use serde::Deserialize;

use super::{Page, UserError};

#[derive(Debug, Deserialize)]
pub(crate) struct ShopData {
    pub(crate) shop: Shop,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shop {
    pub(crate) name: String,
    pub(crate) myshopify_domain: String,
    pub(crate) currency_code: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstallationData {
    pub(crate) current_app_installation: Installation,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Installation {
    pub(crate) access_scopes: Vec<Scope>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Scope {
    pub(crate) handle: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionsData {
    pub(crate) webhook_subscriptions: Page<Subscription>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) topic: String,
    pub(crate) uri: String,
    pub(crate) format: String,
    pub(crate) filter: Option<String>,
    pub(crate) include_fields: Vec<String>,
    pub(crate) api_version: ApiVersion,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ApiVersion {
    pub(crate) handle: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionCreateData {
    pub(crate) webhook_subscription_create: Option<SubscriptionMutation>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionUpdateData {
    pub(crate) webhook_subscription_update: Option<SubscriptionMutation>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionMutation {
    pub(crate) user_errors: Vec<UserError>,
}
