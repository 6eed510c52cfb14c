//! The properties that every account has, as far as they are simulated.
//!
//! Names and types: the contacts, companies and orders guides (developers.hubspot.com/docs/api-reference/latest/crm/
//! objects/…/guide), knowledge.hubspot.com "HubSpot's default contact properties", and the names that HubSpot's own
//! Shopify integration fills on orders, as people list them. Types of order properties that no source states are text.

use super::{
    phones,
    property::{Choice, DataType, Property},
    record::Kind,
};

/// HubSpot's default order pipeline with its five stages (orders guide, "Pipelines and stages").
const ORDER_PIPELINE: &[(&str, &str)] = &[("Order Pipeline", "14a2e10e-5471-408a-906e-c51f3b04369e")];
const ORDER_STAGES: &[(&str, &str)] = &[
    ("Open", "4b27b500-f031-4927-9811-68a0b525cbae"),
    ("Processed", "937ea84d-0a4f-4dcf-9028-3f9c2aafbf03"),
    ("Shipped", "aa99e8d0-c1d5-4071-b915-d240bbb1aed9"),
    ("Delivered", "3725360f-519b-4b18-a593-494d60a29c9f"),
    ("Cancelled", "3c85a297-e9ce-400b-b42e-9f16853d69d6"),
];
const LIFECYCLE_STAGES: &[(&str, &str)] = &[
    ("Subscriber", "subscriber"),
    ("Lead", "lead"),
    ("Marketing Qualified Lead", "marketingqualifiedlead"),
    ("Sales Qualified Lead", "salesqualifiedlead"),
    ("Opportunity", "opportunity"),
    ("Customer", "customer"),
    ("Evangelist", "evangelist"),
    ("Other", "other"),
];
/// ISO 4217.
const CURRENCIES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN \
    BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ \
    GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL \
    LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN \
    PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD \
    TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG";

const CONTACT_TEXTS: &[&str] = &[
    "address",
    "city",
    "company",
    "country",
    "fax",
    "firstname",
    "hs_language",
    "hs_timezone",
    "jobtitle",
    "lastname",
    "message",
    "mobilephone",
    "phone",
    "salutation",
    "state",
    "website",
    "zip",
];
const COMPANY_TEXTS: &[&str] =
    &["address", "city", "country", "description", "domain", "industry", "name", "phone", "state", "website", "zip"];
const ORDER_TEXTS: &[&str] = &[
    "hs_billing_address_city",
    "hs_billing_address_country",
    "hs_billing_address_email",
    "hs_billing_address_firstname",
    "hs_billing_address_lastname",
    "hs_billing_address_phone",
    "hs_billing_address_postal_code",
    "hs_billing_address_state",
    "hs_billing_address_street",
    "hs_discount_codes",
    "hs_external_order_id",
    "hs_external_order_status",
    "hs_external_order_url",
    "hs_fulfillment_status",
    "hs_order_name",
    "hs_order_note",
    "hs_payment_status",
    "hs_shipping_address_city",
    "hs_shipping_address_country",
    "hs_shipping_address_name",
    "hs_shipping_address_phone",
    "hs_shipping_address_postal_code",
    "hs_shipping_address_state",
    "hs_shipping_address_street",
    "hs_shipping_method",
    "hs_shipping_status_url",
    "hs_shipping_tracking_number",
    "hs_source_store",
    "hs_tags",
];
const ORDER_NUMBERS: &[&str] = &[
    "hs_exchange_rate",
    "hs_order_discount",
    "hs_refund_amount",
    "hs_shipping_cost",
    "hs_subtotal_price",
    "hs_tax",
    "hs_total_price",
];
const ORDER_TIMES: &[&str] =
    &["hs_cancelled_date", "hs_external_created_date", "hs_external_modified_date", "hs_processed_date"];

/// A contact's e-mails beside `email`, which identify it as that one does ("Secondary email addresses can be used to
/// look up contacts in the same way primary email addresses can", integrate.hubspot.com/t/11846; seen of batch reads and
/// of upserts by e-mail). Writable (seen).
pub(super) const ADDITIONAL_EMAILS: &str = "hs_additional_emails";

/// The group that a kind's default properties are in.
pub(super) fn default_group(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Contacts => ("contactinformation", "Contact information"),
        Kind::Orders => ("order_information", "Order information"),
        Kind::Companies => ("companyinformation", "Company information"),
    }
}

/// Every default property of a kind.
pub(super) fn default_properties(kind: Kind) -> Vec<Property> {
    let of = |names: &[&str], data_type| names.iter().map(|name| property(kind, name, data_type)).collect::<Vec<_>>();
    let mut all = of(&["hs_object_source", "hs_object_source_label"], DataType::Text);
    all.push(property(kind, "hs_object_id", DataType::Number));
    all.extend(of(&[kind.created_property(), kind.modified_property()], DataType::DateTime));
    for own in &mut all {
        own.read_only = true;
    }
    all.push(property(kind, "hubspot_owner_id", DataType::Number));
    match kind {
        Kind::Contacts => {
            all.extend(of(CONTACT_TEXTS, DataType::Text));
            all.push(Property { unique: true, ..property(kind, "email", DataType::Email) });
            all.push(property(kind, ADDITIONAL_EMAILS, DataType::Emails));
            for (_, whole, local) in phones::CALCULATED {
                for (name, data_type) in [(whole, DataType::Text), (local, DataType::PhoneNumber)] {
                    all.push(Property { read_only: true, ..property(kind, name, data_type) });
                }
            }
            all.push(choice(kind, "lifecyclestage", LIFECYCLE_STAGES));
            all.push(Property { read_only: true, ..property(kind, "num_associated_deals", DataType::Number) });
            all.push(property(kind, "date_of_birth", DataType::Text));
            all.push(property(kind, "closedate", DataType::DateTime));
        }
        Kind::Companies => {
            all.extend(of(COMPANY_TEXTS, DataType::Text));
            all.push(property(kind, "annualrevenue", DataType::Number));
            all.push(property(kind, "numberofemployees", DataType::Number));
            all.push(choice(kind, "lifecyclestage", LIFECYCLE_STAGES));
        }
        Kind::Orders => {
            all.extend(of(ORDER_TEXTS, DataType::Text));
            all.extend(of(ORDER_NUMBERS, DataType::Number));
            all.extend(of(ORDER_TIMES, DataType::DateTime));
            let currencies: Vec<_> = CURRENCIES.split_whitespace().map(|code| (code, code)).collect();
            all.push(choice(kind, "hs_currency_code", &currencies));
            all.push(choice(kind, "hs_pipeline", ORDER_PIPELINE));
            all.push(choice(kind, "hs_pipeline_stage", ORDER_STAGES));
        }
    }
    all
}

/// What an order has at its creation if the request does not say otherwise: the default pipeline's first stage.
pub(super) fn set_at_creation(kind: Kind) -> Vec<(&'static str, &'static str)> {
    match kind {
        Kind::Orders => {
            vec![("hs_pipeline", ORDER_PIPELINE[0].1), ("hs_pipeline_stage", ORDER_STAGES[0].1)]
        }
        Kind::Contacts => vec![("lifecyclestage", "lead")],
        Kind::Companies => Vec::new(),
    }
}

fn property(kind: Kind, name: &str, data_type: DataType) -> Property {
    Property {
        name: name.to_owned(),
        label: name.trim_start_matches("hs_").replace('_', " "),
        description: String::new(),
        group: default_group(kind).0.to_owned(),
        data_type,
        field_type: default_field_type(data_type).to_owned(),
        choices: Vec::new(),
        unique: false,
        read_only: false,
        hubspot_defined: true,
        created_ms: 1_577_836_800_000,
        archived_ms: None,
    }
}

fn default_field_type(data_type: DataType) -> &'static str {
    match data_type {
        DataType::Text | DataType::Email => "text",
        DataType::Number => "number",
        DataType::Date | DataType::DateTime => "date",
        DataType::Bool => "booleancheckbox",
        DataType::Emails => "checkbox",
        DataType::Enumeration => "select",
        DataType::PhoneNumber => "phonenumber",
    }
}

fn choice(kind: Kind, name: &str, choices: &[(&str, &str)]) -> Property {
    let choices = choices
        .iter()
        .map(|&(label, value)| Choice { label: label.to_owned(), value: value.to_owned(), hidden: false })
        .collect();
    Property { choices, field_type: "select".to_owned(), ..property(kind, name, DataType::Enumeration) }
}
