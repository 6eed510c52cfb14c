//! What happens to the system's records behind our back, and what it shows of them.

use std::{sync::atomic::Ordering, time::Duration};

use async_trait::async_trait;
use waybill_connector::{Failure, FieldSource, FieldsCall};
use waybill_domain::{
    Kind, ObjectKey, RecordKey,
    document::{FieldValue, Fields, OrderDocument},
};

use super::{Bench, System};

/// Each object's mapped fields, by its order's name.
#[async_trait]
impl FieldSource<OrderDocument> for System {
    async fn read_fields(&self, calls: &[FieldsCall<'_, OrderDocument>]) -> Vec<Result<Option<Fields>, Failure>> {
        let fields = self.fields.lock().unwrap();
        calls.iter().map(|call| Ok(fields.get(&call.document.name).cloned())).collect()
    }
}

impl Bench {
    /// Until an audit is looking.
    pub(in crate::tests) async fn until_an_audit_looks(&self) {
        waybill_testkit::wait_for_async("a look", Duration::from_secs(10), async || {
            (self.system.audits.load(Ordering::SeqCst) > 0).then_some(())
        })
        .await;
    }

    /// The system loses an order.
    pub(in crate::tests) fn lose(&self, name: &str) {
        self.system.objects.lock().unwrap().retain(|(_, there)| there != name);
        self.system.fields.lock().unwrap().remove(name);
    }

    /// Somebody brings back what the system lost.
    pub(in crate::tests) fn put_back(&self, order: u64) {
        let record =
            RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: order.to_string().parse().unwrap() };
        let key = ObjectKey::new(&record, "order").to_string();
        self.system.objects.lock().unwrap().push((key, format!("#{order}")));
        self.edit(&format!("#{order}"), "description", &format!("#{order}"));
    }

    /// Somebody makes a second object with an order's key.
    pub(in crate::tests) fn double(&self, name: &str) {
        let mut objects = self.system.objects.lock().unwrap();
        let copy = objects.iter().find(|(_, there)| there == name).cloned().unwrap();
        objects.push(copy);
    }

    /// A colleague changes a field of an order.
    pub(in crate::tests) fn edit(&self, name: &str, field: &str, value: &str) {
        let mut fields = self.system.fields.lock().unwrap();
        fields.entry(name.to_owned()).or_default().insert(field.to_owned(), FieldValue::Text(value.into()));
    }

    /// What an order shows of a field.
    pub(in crate::tests) fn shown(&self, name: &str, field: &str) -> String {
        self.system.fields.lock().unwrap()[name][field].to_text()
    }

    /// Every look fails so from now on.
    pub(in crate::tests) fn fail_looks(&self, failure: Option<Failure>) {
        *self.system.looks_fail.lock().unwrap() = failure;
    }
}
