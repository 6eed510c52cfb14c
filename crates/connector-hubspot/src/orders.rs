//! Orders, each with its buyer's contact.

use async_trait::async_trait;
use waybill_connector::{Applied, Failure, Known, Look, LookCall, Sink, Step, StepCall};
use waybill_domain::document::OrderDocument;

use crate::{
    HubSpot,
    batch::{self, Deadline, MOST_INPUTS, Outcome, Write},
    client::Call,
    contacts::{CUSTOMER, Wanted},
    mapping,
    records::{self, Record, Saved},
    wire::{Id, Kind, Pair, Properties},
};

/// The role of an order in [`Known`].
pub(crate) const ORDER: &str = "order";
/// The role of the association that we made: the order's id and the contact's.
const ASSOCIATED: &str = "associated";

const CUSTOMER_STEP: Step = Step::idempotent("customer", CUSTOMER);
const ORDER_STEP: Step = Step::idempotent("order", ORDER);
const ASSOCIATE_STEP: Step = Step::idempotent("associate", ORDER);

type OrderCall<'a> = StepCall<'a, OrderDocument>;

impl HubSpot {
    /// The buyers' contacts. Never by the id that an earlier revision left: the order may have another buyer now.
    async fn buyers(&self, calls: &[OrderCall<'_>]) -> Vec<Result<Applied, Failure>> {
        let buyers: Vec<Wanted<'_>> = calls
            .iter()
            .filter_map(|call| call.document.customer.as_ref())
            .map(|document| Wanted { document, known: None })
            .collect();
        let mut results = self.write_contacts(&buyers).await.into_iter();
        let of_buyer = |result: Result<Saved, Failure>| {
            result.map(|saved| Applied { external_id: None, ..saved.applied(CUSTOMER) })
        };
        calls
            .iter()
            .map(|call| match call.document.customer {
                Some(_) => of_buyer(results.next().expect("one result per buyer")),
                None => Ok(Applied::default()),
            })
            .collect()
    }

    /// The orders themselves. Those whose plan has no rules for it are written without a look.
    async fn orders(&self, calls: &[OrderCall<'_>]) -> Vec<Result<Applied, Failure>> {
        let is_plain = |call: &&OrderCall<'_>| records::is_plain(&call.document.policy);
        let plain: Vec<Write> = calls.iter().filter(is_plain).map(|call| self.upsert(call.document)).collect();
        let ruled: Vec<Record<'_>> = calls
            .iter()
            .filter(|call| !is_plain(call))
            .map(|call| self.order_record(call.document, call.known))
            .collect();
        let key_property = self.key_property(Kind::Orders);
        let outcomes = batch::write_all(&self.client, Kind::Orders, key_property, &plain, Deadline::from_now()).await;
        let mut plain = outcomes.into_iter().zip(&plain).map(|(outcome, write)| order_result(outcome, write));
        let ruled = self.write_records(Kind::Orders, &ruled).await;
        let mut ruled = ruled.into_iter().map(|result| result.map(|saved| saved.applied(ORDER)));
        let result = |call| if is_plain(&call) { plain.next() } else { ruled.next() };
        calls.iter().map(result).map(|result| result.expect("one result per order")).collect()
    }

    fn upsert(&self, document: &OrderDocument) -> Write {
        let key_property = self.key_property(Kind::Orders);
        Write {
            call: Call::Upsert,
            id_property: Some(key_property.to_owned()),
            id: document.key.as_str().to_owned(),
            properties: mapping::order(document, key_property),
        }
    }

    fn order_record<'a>(&self, document: &'a OrderDocument, known: &'a Known) -> Record<'a> {
        Record {
            key: document.key.as_str(),
            known: known.get(ORDER).map(String::as_str),
            policy: &document.policy,
            email: "",
            joins: false,
            properties: mapping::order(document, self.key_property(Kind::Orders)),
            required: Properties::new(),
        }
    }

    /// The associations of orders and buyers.
    async fn associate(&self, calls: &[OrderCall<'_>]) -> Vec<Result<Applied, Failure>> {
        let mut results: Vec<Option<Result<Applied, Failure>>> = Vec::with_capacity(calls.len());
        let mut open: Vec<(usize, String, String)> = Vec::new();
        for (at, call) in calls.iter().enumerate() {
            let ends = self.ends(call).await;
            results.push(match ends {
                Err(failure) => Some(Err(failure)),
                Ok(None) => {
                    Some(Err(Failure::Transient { message: "the order or its contact is not in HubSpot".to_owned() }))
                }
                Ok(Some((order, contact))) if is_associated(call.known, &order, &contact) => {
                    Some(Ok(Applied { wrote: false, ..associated(&order, &contact) }))
                }
                Ok(Some((order, contact))) => {
                    open.push((at, order, contact));
                    None
                }
            });
        }
        for part in open.chunks(MOST_INPUTS) {
            let pairs = part
                .iter()
                .map(|(_, order, contact)| Pair { from: Id { id: order }, to: Id { id: contact } })
                .collect();
            let answer = self.client.associate(pairs).await;
            for (at, order, contact) in part {
                let made = match &answer {
                    Err(failure) => Err(failure.clone()),
                    Ok(answer) => {
                        let there =
                            |result: &crate::wire::Associated| result.from.id == *order && result.to.id == *contact;
                        if answer.results.iter().any(there) || answer.errors.is_empty() {
                            self.release(calls[*at].known, order, contact).await
                        } else {
                            // Deleted since it was written; the step before writes it again.
                            let what = answer.errors.first().map_or("no error", |error| error.category.as_str());
                            Err(Failure::Transient { message: format!("HubSpot did not associate the order: {what}") })
                        }
                    }
                };
                results[*at] = Some(made.map(|()| associated(order, contact)));
            }
        }
        results.into_iter().map(|result| result.expect("every call has a result")).collect()
    }

    /// Takes off the association with the buyer that the order had before.
    async fn release(&self, known: &Known, order: &str, contact: &str) -> Result<(), Failure> {
        match known.get(ASSOCIATED).and_then(|ends| ends.split_once(':')) {
            Some((known_order, before)) if known_order == order && before != contact => {
                self.client.dissociate(order, before).await
            }
            _ => Ok(()),
        }
    }

    /// The ids of the order and of its buyer's contact, from the steps before or looked up.
    async fn ends(&self, call: &OrderCall<'_>) -> Result<Option<(String, String)>, Failure> {
        let Some(customer) = &call.document.customer else {
            return Ok(None);
        };
        let order = match call.known.get(ORDER) {
            Some(id) => Some(id.clone()),
            None => self.find_order(call).await?.map(|(id, _)| id),
        };
        let contact = match call.known.get(CUSTOMER) {
            Some(id) => Some(id.clone()),
            None => self.find_contact(&Wanted { document: customer, known: None }).await?.map(|(id, _)| id),
        };
        Ok(order.zip(contact))
    }

    /// The order and whether it shows the document's values.
    async fn find_order(&self, call: &OrderCall<'_>) -> Result<Option<(String, bool)>, Failure> {
        let document = call.document;
        if !records::is_plain(&document.policy) {
            return self.find_record(Kind::Orders, &self.order_record(document, call.known)).await;
        }
        let key_property = self.key_property(Kind::Orders);
        let wanted = mapping::order(document, key_property);
        let found = self.read_one(Kind::Orders, Some(key_property), document.key.as_str(), &wanted).await?;
        Ok(found.map(|order| {
            let shows = mapping::shows(&order, &wanted);
            (order.id, shows)
        }))
    }
}

/// The result of writing an order.
pub(crate) fn order_result(outcome: Outcome, write: &Write) -> Result<Applied, Failure> {
    match outcome {
        Outcome::Written(order) => Ok(Applied::wrote(ORDER, order.id)),
        Outcome::Missing => Err(Failure::malformed("HubSpot misses a record that it was to create", b"")),
        Outcome::Refused(refusal) => Err(refusal.into_failure(Kind::Orders, &write.properties)),
        Outcome::Failed(failure) => Err(failure),
    }
}

fn is_associated(known: &Known, order: &str, contact: &str) -> bool {
    known.get(ASSOCIATED).is_some_and(|ends| ends.split_once(':') == Some((order, contact)))
}

fn associated(order: &str, contact: &str) -> Applied {
    Applied {
        external_id: Some(order.to_owned()),
        known: Known::from([(ASSOCIATED.to_owned(), format!("{order}:{contact}"))]),
        wrote: true,
    }
}

#[async_trait]
impl Sink<OrderDocument> for HubSpot {
    fn steps(&self, order: &OrderDocument, _known: &Known) -> Vec<Step> {
        match order.customer {
            Some(_) => vec![CUSTOMER_STEP, ORDER_STEP, ASSOCIATE_STEP],
            None => vec![ORDER_STEP],
        }
    }

    fn batch_size(&self, _step: &str) -> usize {
        MOST_INPUTS
    }

    async fn apply(&self, calls: &[OrderCall<'_>]) -> Vec<Result<Applied, Failure>> {
        match calls.first() {
            None => Vec::new(),
            Some(call) if *call.step == CUSTOMER_STEP => self.buyers(calls).await,
            Some(call) if *call.step == ORDER_STEP => self.orders(calls).await,
            Some(_) => self.associate(calls).await,
        }
    }

    async fn find(&self, call: &OrderCall<'_>) -> Result<Option<Applied>, Failure> {
        if *call.step == CUSTOMER_STEP {
            let Some(document) = &call.document.customer else {
                return Ok(None);
            };
            let found = self.find_contact(&Wanted { document, known: None }).await?;
            return Ok(found
                .filter(|(_, shows)| *shows)
                .map(|(id, _)| Applied { external_id: None, ..Applied::unchanged(CUSTOMER, id) }));
        }
        if *call.step == ORDER_STEP {
            let found = self.find_order(call).await?;
            return Ok(found.filter(|(_, shows)| *shows).map(|(id, _)| Applied::unchanged(ORDER, id)));
        }
        let Some((order, contact)) = self.ends(call).await? else {
            return Ok(None);
        };
        let answer = self.client.associations(&[&order]).await?;
        let is_there = answer.results.iter().flat_map(|of| &of.to).any(|to| to.to_object_id == contact);
        Ok(is_there.then(|| Applied { wrote: false, ..associated(&order, &contact) }))
    }

    async fn look(&self, calls: &[LookCall<'_, OrderDocument>]) -> Vec<Result<Look, Failure>> {
        self.look_for_orders(calls).await
    }
}
