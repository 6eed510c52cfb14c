use std::collections::BTreeMap;

use waybill_connector::Failure;
use waybill_domain::{
    Kind, ObjectKey, RecordKey,
    document::{FieldValue, ShipmentDocument},
};

use super::{notify, refused, shows, tracking};
use crate::wire::{Fulfillment, TrackingInfo, UserError};

fn key() -> ObjectKey {
    let record = RecordKey { store: "main".parse().unwrap(), kind: Kind::Shipment, id: "se-1".parse().unwrap() };
    ObjectKey::new(&record, "shipment")
}

fn document() -> ShipmentDocument {
    ShipmentDocument {
        key: key(),
        order_key: key(),
        order_source_id: "1".parse().unwrap(),
        order_name: "#1001".to_owned(),
        carrier: "ups".to_owned(),
        tracking_number: "1Z999".to_owned(),
        tracking_url: String::new(),
        shipped_at: None,
        voided: false,
        lines: Vec::new(),
        fields: BTreeMap::new(),
        policy: Default::default(),
    }
}

fn shown(number: &str, company: &str, url: &str) -> Fulfillment {
    let text = |text: &str| Some(text.to_owned());
    Fulfillment {
        id: "gid://shopify/Fulfillment/1".to_owned(),
        status: "SUCCESS".to_owned(),
        tracking_info: vec![TrackingInfo { company: text(company), number: text(number), url: text(url) }],
    }
}

#[test]
fn a_parcel_without_a_number_carries_our_key_in_its_place() {
    let document = ShipmentDocument { tracking_number: " ".to_owned(), ..document() };
    assert_eq!(tracking(&document, &key()).number, key().as_str());
}

#[test]
fn a_mapped_carrier_name_wins_over_the_parcels_own() {
    let mut document = document();
    document.fields.insert("tracking_company".to_owned(), FieldValue::Text("Own Van".into()));
    assert_eq!(tracking(&document, &key()).company.as_deref(), Some("Own Van"));
}

#[test]
fn the_buyer_is_mailed_only_if_the_plan_says_so() {
    let mut document = document();
    assert!(!notify(&document));
    document.fields.insert("notify_customer".to_owned(), FieldValue::Bool(true));
    assert!(notify(&document));
}

#[test]
fn a_link_that_shopify_made_itself_is_no_difference() {
    assert!(shows(&shown("1Z999", "UPS", "https://www.ups.com/track?1Z999"), &tracking(&document(), &key())));
}

#[test]
fn another_number_is_a_difference() {
    assert!(!shows(&shown("1Z000", "UPS", ""), &tracking(&document(), &key())));
}

#[test]
fn a_fulfilment_order_that_is_closed_has_a_code_of_its_own() {
    let error = UserError {
        code: None,
        field: Some(vec!["fulfillment".to_owned()]),
        message: "Fulfillment order 9 has an unfulfillable status= closed.".to_owned(),
    };
    let expected =
        Failure::rejected("unfulfillable", "fulfillment", "Fulfillment order 9 has an unfulfillable status= closed.");
    assert_eq!(refused(&[error]), expected);
}
