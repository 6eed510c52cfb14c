//! One system's capabilities behind the engine's one face.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use serde::Serialize;
use waybill_connector::{
    Applied, Failure, FieldSource, FieldsCall, Known, Look, LookCall, Sink, Step, StepCall, sink::Check,
};
use waybill_domain::{
    CallKey, Kind, ObjectKey,
    descriptor::Descriptor,
    document::{
        CustomerDocument, Fields, IncidentDocument, OrderDocument, PriceDocument, RefundDocument, ShipmentDocument,
        StockDocument,
    },
};
use waybill_plan::Document;

/// One configured connector, as a service offers it to the engine.
#[derive(Clone)]
pub struct SystemPort {
    /// What it says of itself.
    pub descriptor: Arc<Descriptor>,
    /// Whether its credentials work.
    pub check: Arc<dyn Check>,
    /// Takes orders.
    pub orders: Option<Arc<dyn Sink<OrderDocument>>>,
    /// Takes customers.
    pub customers: Option<Arc<dyn Sink<CustomerDocument>>>,
    /// Takes parcels.
    pub shipments: Option<Arc<dyn Sink<ShipmentDocument>>>,
    /// Takes stock levels.
    pub stock: Option<Arc<dyn Sink<StockDocument>>>,
    /// Takes prices.
    pub prices: Option<Arc<dyn Sink<PriceDocument>>>,
    /// Takes refunds.
    pub refunds: Option<Arc<dyn Sink<RefundDocument>>>,
    /// The fields that orders show, with their buyers'.
    pub order_fields: Option<Arc<dyn FieldSource<OrderDocument>>>,
    /// The fields that customers show.
    pub customer_fields: Option<Arc<dyn FieldSource<CustomerDocument>>>,
    /// Tells people.
    pub pager: Option<Arc<dyn Sink<IncidentDocument>>>,
}

impl SystemPort {
    /// A system that can do nothing yet but be checked; capabilities are added by field.
    pub fn new(descriptor: Descriptor, check: Arc<dyn Check>) -> Self {
        Self {
            descriptor: Arc::new(descriptor),
            check,
            orders: None,
            customers: None,
            shipments: None,
            stock: None,
            prices: None,
            refunds: None,
            order_fields: None,
            customer_fields: None,
            pager: None,
        }
    }

    /// Whether it takes records of a kind.
    pub fn takes(&self, kind: Kind) -> bool {
        match kind {
            Kind::Order => self.orders.is_some(),
            Kind::Customer => self.customers.is_some(),
            Kind::Shipment => self.shipments.is_some(),
            Kind::StockLevel => self.stock.is_some(),
            Kind::Price => self.prices.is_some(),
            Kind::Incident => self.pager.is_some(),
            Kind::Refund => self.refunds.is_some(),
            Kind::Product | Kind::InventoryLevel | Kind::Fulfilment => false,
        }
    }

    /// What the system holds of some fields; `None` if it cannot be asked for records of this kind.
    pub(crate) async fn read_fields(&self, kind: Kind, calls: &[AnyFieldsCall<'_>]) -> Option<FieldsFound> {
        match kind {
            Kind::Order => Some(read_typed(self.order_fields.as_deref()?, calls).await),
            Kind::Customer => Some(read_typed(self.customer_fields.as_deref()?, calls).await),
            Kind::Shipment
            | Kind::StockLevel
            | Kind::Price
            | Kind::Incident
            | Kind::Refund
            | Kind::Product
            | Kind::InventoryLevel
            | Kind::Fulfilment => None,
        }
    }

    pub(crate) fn sink(&self, document: &Document) -> Option<Box<dyn AnySink>> {
        match document {
            Document::Order(_) => Some(Box::new(Typed(Arc::clone(self.orders.as_ref()?)))),
            Document::Customer(_) => Some(Box::new(Typed(Arc::clone(self.customers.as_ref()?)))),
            Document::Refund(_) => Some(Box::new(Typed(Arc::clone(self.refunds.as_ref()?)))),
            Document::Shipment(_) => Some(Box::new(Typed(Arc::clone(self.shipments.as_ref()?)))),
            Document::Stock(_) => Some(Box::new(Typed(Arc::clone(self.stock.as_ref()?)))),
            Document::Price(_) => Some(Box::new(Typed(Arc::clone(self.prices.as_ref()?)))),
            Document::Incident(_) => Some(Box::new(Typed(Arc::clone(self.pager.as_ref()?)))),
        }
    }
}

/// A question for a record's fields, whatever the document's type.
pub(crate) struct AnyFieldsCall<'a> {
    pub(crate) document: &'a Document,
    pub(crate) role: &'a str,
    pub(crate) object_key: ObjectKey,
    pub(crate) known: &'a Known,
    pub(crate) names: &'a BTreeSet<String>,
}

/// What is answered to [`AnyFieldsCall`]s, one each.
type FieldsFound = Vec<Result<Option<Fields>, Failure>>;

async fn read_typed<D: Part>(source: &dyn FieldSource<D>, calls: &[AnyFieldsCall<'_>]) -> FieldsFound {
    let typed: Vec<FieldsCall<'_, D>> = calls
        .iter()
        .filter_map(|call| {
            Some(FieldsCall {
                document: D::of(call.document)?,
                role: call.role,
                object_key: &call.object_key,
                known: call.known,
                names: call.names,
            })
        })
        .collect();
    let mut found = source.read_fields(&typed).await;
    found.resize_with(calls.len(), || Err(Failure::malformed("the connector gave no answer for this record", b"")));
    found
}

/// One step to run, whatever the document's type.
pub(crate) struct AnyCall<'a> {
    pub(crate) step: &'a Step,
    pub(crate) document: &'a Document,
    pub(crate) object_key: &'a ObjectKey,
    pub(crate) call_key: &'a CallKey,
    pub(crate) known: &'a Known,
    pub(crate) is_again: bool,
}

/// A document whose objects are looked for, whatever its type.
pub(crate) struct AnyLookCall<'a> {
    pub(crate) document: &'a Document,
    pub(crate) known: &'a Known,
}

#[async_trait]
pub(crate) trait AnySink: Send + Sync {
    fn steps(&self, document: &Document, known: &Known) -> Vec<Step>;
    fn batch_size(&self, step: &str) -> usize;
    async fn apply(&self, calls: &[AnyCall<'_>]) -> Vec<Result<Applied, Failure>>;
    async fn find(&self, call: &AnyCall<'_>) -> Result<Option<Applied>, Failure>;
    async fn look(&self, calls: &[AnyLookCall<'_>]) -> Vec<Result<Look, Failure>>;
}

/// A document's type within [`Document`].
trait Part: Sync + Sized + Serialize {
    fn of(document: &Document) -> Option<&Self>;
}

macro_rules! part {
    ($type:ty, $variant:ident) => {
        impl Part for $type {
            fn of(document: &Document) -> Option<&Self> {
                match document {
                    Document::$variant(part) => Some(part),
                    _ => None,
                }
            }
        }
    };
}
part!(OrderDocument, Order);
part!(CustomerDocument, Customer);
part!(RefundDocument, Refund);
part!(ShipmentDocument, Shipment);
part!(StockDocument, Stock);
part!(PriceDocument, Price);
part!(IncidentDocument, Incident);

struct Typed<D>(Arc<dyn Sink<D>>);

fn typed<'a, D: Part>(call: &'a AnyCall<'a>) -> Option<StepCall<'a, D>> {
    Some(StepCall {
        step: call.step,
        document: D::of(call.document)?,
        object_key: call.object_key,
        call_key: call.call_key,
        known: call.known,
        is_again: call.is_again,
    })
}

#[async_trait]
impl<D: Part> AnySink for Typed<D> {
    fn steps(&self, document: &Document, known: &Known) -> Vec<Step> {
        D::of(document).map(|document| self.0.steps(document, known)).unwrap_or_default()
    }

    fn batch_size(&self, step: &str) -> usize {
        self.0.batch_size(step).max(1)
    }

    async fn apply(&self, calls: &[AnyCall<'_>]) -> Vec<Result<Applied, Failure>> {
        let typed: Vec<StepCall<'_, D>> = calls.iter().filter_map(typed).collect();
        let mut outcomes = self.0.apply(&typed).await;
        // A connector that answers fewer outcomes than calls leaves those open: they are looked up.
        outcomes.resize_with(calls.len(), || {
            Err(Failure::Ambiguous { message: "the connector gave no outcome for this call".to_owned() })
        });
        outcomes
    }

    async fn find(&self, call: &AnyCall<'_>) -> Result<Option<Applied>, Failure> {
        match typed(call) {
            Some(call) => self.0.find(&call).await,
            None => Ok(None),
        }
    }

    async fn look(&self, calls: &[AnyLookCall<'_>]) -> Vec<Result<Look, Failure>> {
        let typed =
            calls.iter().filter_map(|call| Some(LookCall { document: D::of(call.document)?, known: call.known }));
        let typed: Vec<LookCall<'_, D>> = typed.collect();
        let mut looks = self.0.look(&typed).await;
        looks.resize_with(calls.len(), || Err(Failure::malformed("the connector gave no answer for this record", b"")));
        looks
    }
}
