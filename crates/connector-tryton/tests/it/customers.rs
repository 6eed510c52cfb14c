//! Customers follow their record.

use serde_json::{Value as Json, json};
use waybill_connector::{Failure, Known, contract};
use waybill_domain::document::{CustomerDocument, FieldValue};

use crate::{
    bench::Bench,
    documents::{customer, customer_record},
    on_both,
};

on_both!(
    a_customer_is_a_party_with_email_and_phone,
    a_changed_email_takes_the_place_of_the_old_one,
    what_a_colleague_added_stays,
    a_customer_without_a_name_is_called_by_the_email,
    a_party_of_an_order_is_the_customers,
    an_unknown_field_is_named,
);

async fn followed(bench: &Bench, customer: &CustomerDocument) -> Json {
    contract::drive(bench.customers(), &customer_record(1), customer, Known::new()).await.unwrap();
    let parties = bench.parties(customer).await;
    assert_eq!(parties.len(), 1);
    parties[0].clone()
}

fn mechanisms(party: &Json) -> Vec<String> {
    let of = |row: &Json| format!("{} {}", row["type"].as_str().unwrap(), row["value"].as_str().unwrap());
    party["contact_mechanisms."].as_array().unwrap().iter().map(of).collect()
}

async fn a_customer_is_a_party_with_email_and_phone(bench: &Bench) {
    let party = followed(bench, &customer(1)).await;
    assert_eq!(party["name"], "Jane Roe1");
    assert_eq!(mechanisms(&party), ["email jane1@example.com", "phone +49301234567"]);
}

async fn a_changed_email_takes_the_place_of_the_old_one(bench: &Bench) {
    followed(bench, &customer(1)).await;
    let changed = CustomerDocument { email: "roe@example.com".into(), ..customer(1) };
    assert_eq!(mechanisms(&followed(bench, &changed).await), ["email roe@example.com", "phone +49301234567"]);
}

async fn what_a_colleague_added_stays(bench: &Bench) {
    let party = followed(bench, &customer(1)).await["id"].clone();
    let fax = json!([{"party": party, "type": "fax", "value": "+49301234568"}]);
    bench.vendor.model("party.contact_mechanism.create", json!([fax])).await;
    let renamed = CustomerDocument { last_name: "Doe".into(), ..customer(1) };
    let party = followed(bench, &renamed).await;
    assert_eq!((party["name"].as_str(), mechanisms(&party).len()), (Some("Jane Doe"), 3));
}

async fn a_customer_without_a_name_is_called_by_the_email(bench: &Bench) {
    let unnamed = CustomerDocument { first_name: "".into(), last_name: " ".into(), ..customer(1) };
    assert_eq!(followed(bench, &unnamed).await["name"], "jane1@example.com");
}

async fn a_party_of_an_order_is_the_customers(bench: &Bench) {
    let order = crate::documents::order(1);
    bench.book(1, &order, Known::new()).await.unwrap();
    let before = bench.sale(&order).await["party."]["id"].clone();
    assert_eq!(followed(bench, order.customer.as_ref().unwrap()).await["id"], before);
}

async fn an_unknown_field_is_named(bench: &Bench) {
    let mut customer = customer(1);
    customer.fields.insert("colour".to_owned(), FieldValue::Text("red".into()));
    match contract::drive(bench.customers(), &customer_record(1), &customer, Known::new()).await {
        Err(Failure::Rejected { code, field, .. }) => {
            assert_eq!((code.as_str(), field.as_str()), ("unknown_field", "colour"));
        }
        other => panic!("{other:?}"),
    }
}
