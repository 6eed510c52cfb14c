//! Every endpoint's request against HubSpot's OpenAPI documents, served by prism: a request that a document does not
//! describe is answered 422.

use std::collections::BTreeMap;

use secrecy::SecretString;
use waybill_connector::{Failure, SystemSettings, contract::prism::Prism};
use waybill_domain::{
    Kind as RecordKind, ObjectKey, Personal, RecordKey,
    document::{CustomerDocument, FieldValue},
};

use crate::{
    client::{Call, Client},
    descriptor, mapping, phones,
    wire::{
        BatchRead, Filter, FilterGroup, Id, Kind, NewDefinition, NewGroup, NewOption, Pair, Properties, Search,
        WriteInput,
    },
};

fn client(prism: &Prism) -> Client {
    let values = BTreeMap::from([("url".to_owned(), prism.url())]);
    let secrets = BTreeMap::from([("token".to_owned(), SecretString::from("pat-prism"))]);
    let settings = SystemSettings::new("hubspot".parse().unwrap(), descriptor(), values, secrets).unwrap();
    Client::new(&settings).unwrap()
}

fn properties() -> Properties {
    let record = RecordKey { store: "main".parse().unwrap(), kind: RecordKind::Customer, id: "1".parse().unwrap() };
    mapping::contact(&CustomerDocument {
        key: ObjectKey::new(&record, "customer"),
        source_id: None,
        first_name: Personal::new("Jo"),
        last_name: Personal::new(""),
        email: Personal::new("jo@example.com"),
        phone: Personal::new(""),
        fields: BTreeMap::from([
            ("firstname".to_owned(), FieldValue::Text(Personal::new("Jo"))),
            ("score".to_owned(), FieldValue::Number("12.50".parse().unwrap())),
            ("vip".to_owned(), FieldValue::Bool(true)),
            ("since".to_owned(), FieldValue::Time("2026-11-01T10:00:00Z".parse().unwrap())),
            ("phone".to_owned(), FieldValue::Null),
        ]),
        policy: Default::default(),
    })
}

/// Sends each call on records that is used for a kind.
async fn records(document: &str, kind: Kind) {
    let Some(prism) = Prism::start(document) else {
        return;
    };
    let client = client(&prism);
    assert_eq!(client.first(kind).await, Ok(()));
    let properties = properties();
    for (call, id_property, id) in [
        (Call::Upsert, Some("email"), "jo@example.com"),
        (Call::Upsert, Some("waybill_key"), "k1"),
        (Call::Update, Some("waybill_key"), "k1"),
        (Call::Update, None, "101"),
    ] {
        let object_write_trace_id = "0".to_owned();
        let input = WriteInput { id, id_property, object_write_trace_id, properties: &properties };
        let answer = client.write(kind, call, vec![input]).await;
        assert!(answer.is_ok(), "{call:?} by {id_property:?}: {answer:?}");
    }
    assert!(client.write(kind, Call::Update, Vec::new()).await.is_ok(), "the empty batch of the scope check");
    for id_property in [None, Some("waybill_key")] {
        let read = BatchRead {
            inputs: vec![Id { id: "101" }],
            id_property,
            properties: vec!["email"],
            properties_with_history: Vec::new(),
        };
        let answer = client.read(kind, &read).await;
        assert!(answer.is_ok(), "read by {id_property:?}: {answer:?}");
    }
    for names in [&["hs_external_order_id"] as &[&str], &phones::SEARCHED] {
        let filter = |name| Filter { property_name: name, operator: "IN", values: &["15550100", "4315550100"] };
        let search = Search {
            after: "0",
            filter_groups: names.iter().map(|name| FilterGroup { filters: vec![filter(name)] }).collect(),
            limit: 200,
            properties: Vec::new(),
            sorts: Vec::new(),
        };
        let answer = client.search(kind, &search).await;
        assert!(answer.is_ok(), "search by {names:?}: {answer:?}");
    }
}

#[tokio::test]
async fn calls_on_contacts_are_in_the_document() {
    records("hubspot-contacts-2026-03.json", Kind::Contacts).await;
}

#[tokio::test]
async fn calls_on_orders_are_in_the_document() {
    records("hubspot-orders-2026-03.json", Kind::Orders).await;
}

#[tokio::test]
async fn calls_on_associations_are_in_the_document() {
    let Some(prism) = Prism::start("hubspot-associations.json") else {
        return;
    };
    let client = client(&prism);
    // Prism answers 500 to a right request, because what it makes up from the document breaks the document: the example
    // of `ErrorDetail.context` is a text.
    let answer = client.associate(vec![Pair { from: Id { id: "7" }, to: Id { id: "101" } }]).await;
    assert!(matches!(answer, Ok(_) | Err(Failure::Transient { .. })), "{answer:?}");
    assert!(client.associations(&["7"]).await.is_ok());
    assert_eq!(client.dissociate("7", "101").await, Ok(()));
}

#[tokio::test]
async fn calls_on_properties_are_in_the_document() {
    let Some(prism) = Prism::start("hubspot-properties-2026-03.json") else {
        return;
    };
    let client = client(&prism);
    for kind in Kind::ALL {
        assert!(client.property(kind, "waybill_key").await.unwrap().is_some());
        assert_eq!(client.has_group(kind, "waybill").await, Ok(true));
        assert_eq!(client.create_group(kind, &NewGroup { name: "waybill", label: "Waybill" }).await, Ok(true));
        for (data_type, field_type, options) in [
            ("string", "text", Vec::new()),
            (
                "bool",
                "booleancheckbox",
                vec![NewOption { label: "Yes", value: "true", display_order: 0, hidden: false }],
            ),
        ] {
            let definition = NewDefinition {
                name: "waybill_key",
                label: "Waybill key",
                description: "",
                group_name: "waybill",
                data_type,
                field_type,
                has_unique_value: data_type == "string",
                options,
            };
            assert_eq!(client.create_property(kind, &definition).await, Ok(true));
        }
    }
}

#[tokio::test]
async fn a_request_that_no_document_describes_is_told_apart() {
    let Some(prism) = Prism::start("hubspot-associations.json") else {
        return;
    };
    let refused = client(&prism).first(Kind::Contacts).await;
    assert!(matches!(refused, Err(Failure::Rejected { .. })), "{refused:?}");
}
