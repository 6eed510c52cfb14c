//! What HubSpot holds of records' mapped fields.

use async_trait::async_trait;
use waybill_connector::{Failure, FieldSource, FieldsCall};
use waybill_domain::{
    Personal,
    document::{CustomerDocument, FieldValue, Fields, OrderDocument},
};

use crate::{
    HubSpot,
    batch::Deadline,
    contacts::{CUSTOMER, Wanted},
    matching::Sought,
    orders::ORDER,
    wire::{Kind, Object},
};

/// A question for one record's fields; `None` if the document has no such record.
type Asked<'a> = Option<Sought<'a>>;

impl HubSpot {
    async fn fields<D>(
        &self,
        kind: Kind,
        calls: &[FieldsCall<'_, D>],
        asked: Vec<Asked<'_>>,
    ) -> Vec<Result<Option<Fields>, Failure>> {
        let names = calls.iter().flat_map(|call| call.names).map(String::as_str);
        let sought: Vec<Sought<'_>> = asked.iter().flatten().cloned().collect();
        let mut places = self.locate(kind, &sought, names, Deadline::from_now()).await.into_iter();
        let mut fields = |call: &FieldsCall<'_, D>| {
            let place = places.next().expect("one place per record that is looked for")?;
            Ok(place.record().map(|record| shown(record, call)))
        };
        calls.iter().zip(&asked).map(|(call, asked)| asked.as_ref().map_or(Ok(None), |_| fields(call))).collect()
    }
}

fn shown<D>(record: &Object, call: &FieldsCall<'_, D>) -> Fields {
    let value = |name: &String| match record.value(name) {
        "" => FieldValue::Null,
        text => FieldValue::Text(Personal::new(text)),
    };
    call.names.iter().map(|name| (name.clone(), value(name))).collect()
}

/// The order's buyer. It may be another than before, so the id that an earlier revision left says nothing.
fn buyer<'a>(call: &FieldsCall<'a, OrderDocument>) -> Asked<'a> {
    let document = call.document.customer.as_ref()?;
    Some(Wanted { document, known: None }.sought())
}

fn order<'a>(call: &FieldsCall<'a, OrderDocument>) -> Asked<'a> {
    let id = call.known.get(ORDER).map(String::as_str);
    (call.role == ORDER).then_some(Sought::new(call.document.key.as_str(), id, &call.document.policy, ""))
}

fn person<'a>(call: &FieldsCall<'a, CustomerDocument>) -> Asked<'a> {
    let known = call.known.get(CUSTOMER).map(String::as_str);
    (call.role == CUSTOMER).then_some(Wanted { document: call.document, known }.sought())
}

#[async_trait]
impl FieldSource<OrderDocument> for HubSpot {
    async fn read_fields(&self, calls: &[FieldsCall<'_, OrderDocument>]) -> Vec<Result<Option<Fields>, Failure>> {
        if calls.first().is_some_and(|call| call.role == CUSTOMER) {
            return self.fields(Kind::Contacts, calls, calls.iter().map(buyer).collect()).await;
        }
        self.fields(Kind::Orders, calls, calls.iter().map(order).collect()).await
    }
}

#[async_trait]
impl FieldSource<CustomerDocument> for HubSpot {
    async fn read_fields(&self, calls: &[FieldsCall<'_, CustomerDocument>]) -> Vec<Result<Option<Fields>, Failure>> {
        self.fields(Kind::Contacts, calls, calls.iter().map(person).collect()).await
    }
}
