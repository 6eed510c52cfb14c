//! Customers, products, places and stock, as the store keeps them.

use rust_decimal::Decimal;

use super::{
    address::{Address, full_name},
    clock::Moment,
    metafield::Metafield,
};

/// Whether a customer's e-mail may be used for marketing.
///
/// Source: `CustomerEmailAddressMarketingState` of the schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EmailConsent {
    /// Never asked for.
    #[default]
    NotSubscribed,
    /// Asked for, and to be confirmed.
    Pending,
    /// Given.
    Subscribed,
    /// Taken back.
    Unsubscribed,
    /// The address takes no mail.
    Invalid,
}

impl EmailConsent {
    /// As webhook bodies write it; GraphQL writes it in capitals.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::NotSubscribed => "not_subscribed",
            Self::Pending => "pending",
            Self::Subscribed => "subscribed",
            Self::Unsubscribed => "unsubscribed",
            Self::Invalid => "invalid",
        }
    }
}

/// A customer's record.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub(crate) id: u64,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) email_consent: EmailConsent,
    /// When the consent was last given or taken back.
    pub(crate) email_consent_at: Option<Moment>,
    pub(crate) phone: Option<String>,
    pub(crate) verified_email: bool,
    /// `disabled`, `invited`, `enabled`, `declined`.
    pub(crate) state: &'static str,
    pub(crate) note: Option<String>,
    pub(crate) tax_exempt: bool,
    pub(crate) tags: Vec<String>,
    /// The address book; the first is the default.
    pub(crate) addresses: Vec<(u64, Address)>,
    pub(crate) metafields: Vec<Metafield>,
}

impl Customer {
    /// Given and family name, else the e-mail.
    pub(crate) fn display_name(&self) -> String {
        let name = full_name(self.first_name.as_deref(), self.last_name.as_deref());
        if name.is_empty() { self.email.clone().unwrap_or_default() } else { name }
    }
}

/// One sellable form of a product, with its inventory item.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub(crate) id: u64,
    pub(crate) inventory_item_id: u64,
    pub(crate) position: usize,
    pub(crate) sku: Option<String>,
    pub(crate) title: String,
    pub(crate) price: Decimal,
    pub(crate) grams: i64,
    pub(crate) taxable: bool,
    pub(crate) requires_shipping: bool,
    pub(crate) tracked: bool,
}

/// A product.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) handle: String,
    pub(crate) vendor: String,
    pub(crate) product_type: String,
    /// `active`, `draft`, `archived`.
    pub(crate) status: &'static str,
    pub(crate) tags: Vec<String>,
    pub(crate) gift_card: bool,
    pub(crate) variants: Vec<Variant>,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
    pub(crate) metafields: Vec<Metafield>,
}

/// A place that keeps stock.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) address: Address,
    pub(crate) created_at: Moment,
}

/// The stock of one item at one place. On hand is both together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    /// Can be sold; negative if more was sold than was there.
    pub(crate) available: i64,
    /// Sold and not yet sent.
    pub(crate) committed: i64,
    pub(crate) updated_at: Moment,
}

impl Level {
    /// Physically there.
    pub(crate) fn on_hand(&self) -> i64 {
        self.available + self.committed
    }
}

/// Where a topic's events are sent.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) id: u64,
    pub(crate) topic: String,
    pub(crate) uri: String,
    pub(crate) format: String,
    pub(crate) include_fields: Vec<String>,
    pub(crate) filter: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
}
