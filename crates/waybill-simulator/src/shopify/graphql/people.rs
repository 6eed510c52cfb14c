//! `Customer`, `MailingAddress`, `Metafield`, `Shop` and the app's installation.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Context,
    failure::Failure,
    node::{Arguments, Node, Out, gid, leaf, money, optional, plain, text, texts},
    page::{Entry, Page},
};
use crate::{
    catalogue::CURRENCY,
    shopify::{
        API_VERSION,
        address::{Address, full_name},
        metafield::Metafield,
        records::Customer,
    },
};

/// A field of `Customer`.
pub(crate) fn customer(
    context: &Context<'_>,
    customer: &Arc<Customer>,
    field: &str,
    given: &Arguments,
) -> Result<Out, Failure> {
    let state = context.state.borrow();
    Ok(match field {
        "id" => gid("Customer", customer.id),
        "legacyResourceId" => leaf(customer.id.to_string()),
        "firstName" => leaf(&customer.first_name),
        "lastName" => leaf(&customer.last_name),
        "displayName" => leaf(customer.display_name()),
        "email" => leaf(&customer.email),
        "phone" => leaf(&customer.phone),
        "verifiedEmail" => leaf(customer.verified_email),
        "validEmailAddress" => leaf(customer.email.is_some()),
        "state" => leaf(customer.state.to_uppercase()),
        "note" => leaf(&customer.note),
        "taxExempt" => leaf(customer.tax_exempt),
        "taxExemptions" => Out::List(Vec::new()),
        "tags" => texts(&customer.tags),
        "locale" => leaf("en"),
        "createdAt" => leaf(customer.created_at.utc()),
        "updatedAt" => leaf(customer.updated_at.utc()),
        "multipassIdentifier" => Out::Null,
        "defaultEmailAddress" => match &customer.email {
            None => Out::Null,
            Some(email) => plain(
                "CustomerEmailAddress",
                vec![
                    ("emailAddress", leaf(email)),
                    ("marketingState", leaf(customer.email_consent.word().to_uppercase())),
                    ("marketingOptInLevel", Out::Null),
                    ("marketingUpdatedAt", customer.email_consent_at.map_or(Out::Null, |at| leaf(at.utc()))),
                    ("validFormat", leaf(true)),
                ],
            ),
        },
        "defaultPhoneNumber" => match &customer.phone {
            None => Out::Null,
            Some(phone) => plain(
                "CustomerPhoneNumber",
                vec![
                    ("phoneNumber", leaf(phone)),
                    ("marketingState", leaf("NOT_SUBSCRIBED")),
                    ("marketingOptInLevel", Out::Null),
                    ("marketingUpdatedAt", Out::Null),
                ],
            ),
        },
        "defaultAddress" => customer.addresses.first().map_or(Out::Null, |(id, one)| address(*id, Some(one))),
        "addresses" => {
            let first = given.get("first").and_then(Value::as_u64).map_or(usize::MAX, |first| first as usize);
            Out::List(customer.addresses.iter().take(first).map(|(id, one)| address(*id, Some(one))).collect())
        }
        "addressesV2" => {
            let all = customer.addresses.iter().map(|(id, one)| Entry::plain(*id, address(*id, Some(one))));
            Page::of("MailingAddressConnection", all.collect(), given)?
        }
        "numberOfOrders" => leaf(state.orders_of(customer.id).count().to_string()),
        "amountSpent" => {
            let spent = state.orders_of(customer.id).map(|order| (order.received() - order.refunded()).shop).sum();
            money(spent, CURRENCY)
        }
        "lastOrder" => optional(state.orders_of(customer.id).next_back().cloned().map(Node::Order)),
        "orders" => super::roots::orders(state.orders_of(customer.id), given, context.store.0.settings.search_behind)?,
        "metafield" => metafield(&customer.metafields, given),
        "metafields" => metafields(&customer.metafields, given)?,
        _ => return Err(Failure::unanswered("Customer", field)),
    })
}

/// `MailingAddress`.
pub(crate) fn address(id: u64, address: Option<&Address>) -> Out {
    let Some(address) = address else { return Out::Null };
    let name = full_name(address.first_name.as_deref(), address.last_name.as_deref());
    let lines = [Some(&address.address1), address.address2.as_ref(), Some(&address.city), Some(&address.country)];
    plain(
        "MailingAddress",
        vec![
            ("id", gid("MailingAddress", id)),
            ("firstName", leaf(&address.first_name)),
            ("lastName", leaf(&address.last_name)),
            ("name", leaf((!name.is_empty()).then_some(name))),
            ("company", leaf(&address.company)),
            ("address1", leaf(&address.address1)),
            ("address2", leaf(&address.address2)),
            ("city", leaf(&address.city)),
            ("zip", leaf(&address.zip)),
            ("province", leaf(&address.province)),
            ("provinceCode", leaf(&address.province_code)),
            ("country", leaf(&address.country)),
            ("countryCode", leaf(&address.country_code)),
            ("countryCodeV2", leaf(&address.country_code)),
            ("phone", leaf(&address.phone)),
            ("latitude", Out::Null),
            ("longitude", Out::Null),
            ("coordinatesValidated", leaf(false)),
            ("formatted", texts(&lines.into_iter().flatten().collect::<Vec<_>>())),
            ("formattedArea", leaf(format!("{}, {}", address.city, address.country))),
        ],
    )
}

/// `Metafield`.
pub(crate) fn metafield_body(one: &Metafield) -> Out {
    let json: Value = serde_json::from_str(&one.value).unwrap_or_else(|_| Value::String(one.value.clone()));
    plain(
        "Metafield",
        vec![
            ("id", gid("Metafield", one.id)),
            ("legacyResourceId", leaf(one.id.to_string())),
            ("namespace", leaf(&one.namespace)),
            ("key", leaf(&one.key)),
            ("type", leaf(&one.kind)),
            ("value", leaf(&one.value)),
            ("jsonValue", leaf(json)),
            ("compareDigest", leaf(one.digest())),
            ("sizeInBytes", leaf(one.value.len())),
            ("createdAt", leaf(one.created_at.utc())),
            ("updatedAt", leaf(one.updated_at.utc())),
        ],
    )
}

/// `metafield(namespace:, key:)` of a record.
pub(crate) fn metafield(all: &[Metafield], given: &Arguments) -> Out {
    let namespace = text(given, "namespace").unwrap_or(APP_NAMESPACE);
    let found = all.iter().find(|one| one.namespace == namespace && Some(one.key.as_str()) == text(given, "key"));
    found.map_or(Out::Null, metafield_body)
}

/// The namespace of values whose namespace was not given: the app's own.
pub(crate) const APP_NAMESPACE: &str = "app--580111";

/// `metafields(…)` of a record.
///
/// # Errors
/// As all connections.
pub(crate) fn metafields(all: &[Metafield], given: &Arguments) -> Result<Out, Failure> {
    if given.get("keys").is_some_and(|keys| !keys.is_null()) {
        return Err(Failure::unanswered("HasMetafields.metafields", "keys"));
    }
    let namespace = text(given, "namespace");
    let wanted = all.iter().filter(|one| namespace.is_none_or(|namespace| one.namespace == namespace));
    Page::of("MetafieldConnection", wanted.map(|one| Entry::plain(one.id, metafield_body(one))).collect(), given)
}

/// A field of `Shop`.
pub(crate) fn shop(context: &Context<'_>, field: &str) -> Result<Out, Failure> {
    let settings = &context.store.0.settings;
    let state = context.state.borrow();
    Ok(match field {
        "id" => gid("Shop", 548_380_009),
        "name" => leaf("Waldgang"),
        "email" | "contactEmail" => leaf("office@waldgang.example"),
        "myshopifyDomain" => leaf(&settings.domain),
        "url" => leaf("https://waldgang.example"),
        "primaryDomain" => plain(
            "Domain",
            vec![
                ("id", gid("Domain", 1)),
                ("host", leaf("waldgang.example")),
                ("url", leaf("https://waldgang.example")),
                ("sslEnabled", leaf(true)),
            ],
        ),
        "currencyCode" => leaf(CURRENCY),
        "enabledPresentmentCurrencies" => texts(&[CURRENCY, "CAD", "CHF", "GBP", "JPY", "USD"]),
        "ianaTimezone" => leaf("Europe/Vienna"),
        "timezoneAbbreviation" => leaf("CET"),
        "timezoneOffset" => leaf("+0100"),
        "timezoneOffsetMinutes" => leaf(60),
        "taxesIncluded" | "setupRequired" => leaf(false),
        "taxShipping" => leaf(true),
        "weightUnit" => leaf("GRAMS"),
        "unitSystem" => leaf("METRIC_SYSTEM"),
        "orderNumberFormatPrefix" => leaf("#"),
        "orderNumberFormatSuffix" => leaf(""),
        "shopOwnerName" => leaf("Waldgang GmbH"),
        "createdAt" | "updatedAt" => leaf(state.opened_at.utc()),
        "plan" => plain(
            "ShopPlan",
            vec![
                ("displayName", leaf("Basic")),
                ("publicDisplayName", leaf("Basic")),
                ("partnerDevelopment", leaf(false)),
                ("shopifyPlus", leaf(false)),
            ],
        ),
        _ => return Err(Failure::unanswered("Shop", field)),
    })
}

/// A field of `AppInstallation`.
pub(crate) fn installation(context: &Context<'_>, field: &str) -> Result<Out, Failure> {
    Ok(match field {
        "id" => gid("AppInstallation", 580_111),
        "launchUrl" => leaf("https://waybill.example"),
        "accessScopes" => {
            let scope = |handle: &String| {
                plain("AccessScope", vec![("handle", leaf(handle)), ("description", leaf(handle.replace('_', " ")))])
            };
            Out::List(context.store.0.settings.scopes.iter().map(scope).collect())
        }
        "app" => plain(
            "App",
            vec![
                ("id", gid("App", 580_111)),
                ("title", leaf("Waybill")),
                ("handle", leaf("waybill")),
                ("apiKey", leaf("simulated")),
                ("webhookApiVersion", leaf(API_VERSION)),
            ],
        ),
        _ => return Err(Failure::unanswered("AppInstallation", field)),
    })
}
