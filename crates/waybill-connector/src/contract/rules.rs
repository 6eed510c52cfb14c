//! The rules. Each panics with what it saw if the connector does not keep it.

use std::time::Duration;

use serde::Serialize;
use waybill_domain::RecordKey;

pub use super::looks::{
    a_look_sees_what_was_applied_and_writes_nothing, a_look_tells_of_two_and_leaves_both, a_look_tells_what_was_lost,
};
use super::{Bench, Delivery, Trouble, drive};
use crate::{
    failure::Failure,
    sink::{Applied, Known, Step},
};

/// No delivery of the suite's documents takes more requests than this.
const MOST_REQUESTS: usize = 100;

/// All rules that hold for every vendor, one after another.
pub async fn run<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    a_second_upsert_makes_no_second_object(bench).await;
    an_update_changes_and_does_not_add(bench).await;
    a_limit_is_reported_with_the_vendors_wait(bench).await;
    refused_credentials_are_unauthorized(bench).await;
    a_server_error_is_transient_or_ambiguous(bench).await;
    a_cut_before_acting_ends_in_one_object(bench).await;
    a_cut_after_acting_ends_in_one_object(bench).await;
    an_error_after_acting_ends_in_one_object(bench).await;
    an_update_cut_after_acting_ends_in_one_changed_object(bench).await;
    an_error_body_in_a_200_is_never_success(bench).await;
    a_refused_document_is_rejected(bench).await;
    a_batch_answers_in_order(bench).await;
    an_unknown_key_is_not_found(bench).await;
    a_look_sees_what_was_applied_and_writes_nothing(bench).await;
}

/// The same document a second time leaves one object.
pub async fn a_second_upsert_makes_no_second_object<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    let (record, document) = case(bench, 0);
    let known = arrives(bench, &record, &document, Known::new()).await;
    arrives(bench, &record, &document, known).await;
}

/// A later revision changes the object that is there.
pub async fn an_update_changes_and_does_not_add<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    let (record, document) = case(bench, 1);
    let known = arrives(bench, &record, &document, Known::new()).await;
    let changed = bench.changed(&document);
    assert!(!bench.holds(&changed).await, "the bench's change changes nothing that the vendor shows");
    arrives(bench, &record, &changed, known).await;
}

/// A 429 is [`Failure::RateLimited`] with the wait that the vendor states, at whichever request it comes.
pub async fn a_limit_is_reported_with_the_vendors_wait<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    const WAIT_S: u64 = 7;
    let wait: Duration = bench.stated_wait(WAIT_S);
    at_each_request(bench, 100, Trouble::TooManyRequests { retry_after_s: WAIT_S }, |struck| {
        assert_eq!(struck.failure, Failure::RateLimited { retry_after: wait }, "{struck}");
    })
    .await;
}

/// Refused credentials are [`Failure::Unauthorized`], at whichever request they are refused.
pub async fn refused_credentials_are_unauthorized<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    at_each_request(bench, 200, Trouble::Unauthorized, |struck| {
        assert!(matches!(struck.failure, Failure::Unauthorized { .. }), "{struck}");
    })
    .await;
}

/// A 500 is [`Failure::Transient`] in an idempotent step. In one that is not, it is [`Failure::Ambiguous`] at the
/// write and may be transient at a read before it.
pub async fn a_server_error_is_transient_or_ambiguous<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    let mut ambiguous: Vec<(Step, bool)> = Vec::new();
    at_each_request(bench, 300, Trouble::ServerError, |struck| {
        let is_ambiguous = matches!(struck.failure, Failure::Ambiguous { .. });
        let is_transient = matches!(struck.failure, Failure::Transient { .. });
        assert!(is_transient || (is_ambiguous && !struck.step.idempotent), "{struck}");
        match ambiguous.iter_mut().find(|(step, _)| *step == struck.step) {
            Some((_, seen)) => *seen |= is_ambiguous,
            None => ambiguous.push((struck.step, is_ambiguous)),
        }
    })
    .await;
    for (step, seen) in ambiguous {
        assert!(step.idempotent || seen, "step {} is not idempotent, but a 500 was never ambiguous", step.name);
    }
}

/// A connection cut before the request took effect, at each request in turn.
pub async fn a_cut_before_acting_ends_in_one_object<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    recovers_at_each_request(bench, 400, Trouble::CutBefore).await;
}

/// A connection cut after the request took effect, at each request in turn.
pub async fn a_cut_after_acting_ends_in_one_object<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    recovers_at_each_request(bench, 500, Trouble::CutAfter).await;
}

/// A 5xx after the request took effect, at each request in turn.
pub async fn an_error_after_acting_ends_in_one_object<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    recovers_at_each_request(bench, 600, Trouble::ErrorAfter).await;
}

/// A connection cut after the request took effect, at each request of an update in turn.
pub async fn an_update_cut_after_acting_ends_in_one_changed_object<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    for skip in 0..MOST_REQUESTS {
        let (record, document) = case(bench, 700 + skip);
        let known = arrives(bench, &record, &document, Known::new()).await;
        bench.inject(Trouble::CutAfter, skip).await;
        let changed = bench.changed(&document);
        let result = drive(bench.sink(), &record, &changed, known).await;
        let struck = !bench.pending().await;
        bench.clear().await;
        assert!(result.is_ok(), "cut at request {skip} of an update: {result:?}");
        is_there_once(bench, &record, &changed).await;
        if !struck {
            return;
        }
    }
    panic!("an update took more than {MOST_REQUESTS} requests");
}

/// A 200 with a body that is not the vendor's, at each request in turn: never taken for success.
pub async fn an_error_body_in_a_200_is_never_success<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    at_each_request(bench, 800, Trouble::ErrorIn200, |struck| {
        assert!(
            matches!(struck.failure, Failure::Ambiguous { .. } | Failure::Malformed { .. } | Failure::Transient { .. }),
            "{struck}"
        );
    })
    .await;
}

/// What the vendor refuses is [`Failure::Rejected`] with a code, whether alone or among others.
pub async fn a_refused_document_is_rejected<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    let Some(refused) = bench.refused(900) else { return };
    let record = bench.record(900);
    match drive(bench.sink(), &record, &refused, Known::new()).await {
        Err(Failure::Rejected { code, .. }) => assert!(!code.is_empty(), "a rejection has a code"),
        other => panic!("a refused document: {other:?}"),
    }
    let Some(refused) = bench.refused(901) else { return };
    let documents = vec![bench.document(902), refused, bench.document(903)];
    let records = vec![bench.record(902), bench.record(901), bench.record(903)];
    let outcomes = together(bench, &records, &documents).await;
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "a refusal hurt its neighbours in a batch: {outcomes:?}");
    assert!(matches!(outcomes[1], Err(Failure::Rejected { .. })), "a refused document in a batch: {outcomes:?}");
}

/// A batch has one outcome per call, each with the ids of its own object, whatever the order of the calls.
pub async fn a_batch_answers_in_order<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    let (ascending, descending) = ((1000..1005).collect::<Vec<_>>(), (1010..1015).rev().collect::<Vec<_>>());
    for order in [ascending, descending] {
        let records: Vec<_> = order.iter().map(|n| bench.record(*n)).collect();
        let documents: Vec<_> = order.iter().map(|n| bench.document(*n)).collect();
        let outcomes = together(bench, &records, &documents).await;
        for ((record, document), outcome) in records.iter().zip(&documents).zip(outcomes) {
            let known = outcome.unwrap_or_else(|failure| panic!("{record} failed in a batch: {failure:?}"));
            is_there_once(bench, record, document).await;
            let alone = Delivery::new(bench.sink(), record, document, Known::new());
            for step in alone.steps() {
                match alone.find(step).await {
                    Ok(Some(found)) => {
                        for (role, id) in &found.known {
                            assert_eq!(known.get(role), Some(id), "the {role} of {record} after a batch");
                        }
                    }
                    Ok(None) => assert!(step.idempotent, "step {} of {record} is done and not found", step.name),
                    Err(failure) => panic!("step {} of {record} cannot be looked up: {failure:?}", step.name),
                }
            }
        }
    }
}

/// What was never written is not found, for each step.
pub async fn an_unknown_key_is_not_found<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    let (record, document) = case(bench, 1100);
    let delivery = Delivery::new(bench.sink(), &record, &document, Known::new());
    for step in delivery.steps() {
        let found: Result<Option<Applied>, Failure> = delivery.find(step).await;
        assert_eq!(found, Ok(None), "step {} of a document that was never sent", step.name);
    }
}

/// A request that met trouble.
struct Struck {
    trouble: Trouble,
    skip: usize,
    step: Step,
    failure: Failure,
}

impl std::fmt::Display for Struck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at request {}, in step {}, gave {:?}", self.trouble, self.skip, self.step.name, self.failure)
    }
}

/// Runs deliveries of new documents without recovery, with trouble at the first request, the second, and so on; hands
/// each failure to `judge`; then lets the delivery go on and finds one object.
async fn at_each_request<D: Serialize + Send + Sync>(
    bench: &dyn Bench<D>,
    first: usize,
    trouble: Trouble,
    mut judge: impl FnMut(Struck) + Send,
) {
    for skip in 0..MOST_REQUESTS {
        let (record, document) = case(bench, first + skip);
        let mut delivery = Delivery::new(bench.sink(), &record, &document, Known::new());
        bench.inject(trouble, skip).await;
        let result = loop {
            match delivery.advance().await {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(failure) => break Err(failure),
            }
        };
        let struck = !bench.pending().await;
        bench.clear().await;
        match (struck, result) {
            (false, Ok(())) => {
                assert!(skip > 0, "no request met the trouble");
                return;
            }
            (false, Err(failure)) => panic!("failed without trouble: {failure:?}"),
            (true, Ok(())) => panic!("{trouble:?} at request {skip} was taken for success"),
            (true, Err(failure)) => {
                let step = delivery.next().expect("a failure leaves its step to be done").clone();
                judge(Struck { trouble, skip, step, failure });
                let result = delivery.drive().await;
                assert!(result.is_ok(), "after {trouble:?} at request {skip}: {result:?}");
                is_there_once(bench, &record, &document).await;
            }
        }
    }
    panic!("a delivery took more than {MOST_REQUESTS} requests");
}

/// Drives deliveries of new documents with trouble at the first request, the second, and so on; each ends in one
/// object.
async fn recovers_at_each_request<D: Serialize + Send + Sync>(bench: &dyn Bench<D>, first: usize, trouble: Trouble) {
    for skip in 0..MOST_REQUESTS {
        let (record, document) = case(bench, first + skip);
        bench.inject(trouble, skip).await;
        let result = drive(bench.sink(), &record, &document, Known::new()).await;
        let struck = !bench.pending().await;
        bench.clear().await;
        assert!(result.is_ok(), "{trouble:?} at request {skip}: {result:?}");
        is_there_once(bench, &record, &document).await;
        if !struck {
            assert!(skip > 0, "no request met the trouble");
            return;
        }
    }
    panic!("a delivery took more than {MOST_REQUESTS} requests");
}

/// Drives all documents step by step, each step in batches as large as the connector takes.
async fn together<D: Serialize + Send + Sync>(
    bench: &dyn Bench<D>,
    records: &[RecordKey],
    documents: &[D],
) -> Vec<Result<Known, Failure>> {
    let sink = bench.sink();
    let mut deliveries: Vec<_> = records
        .iter()
        .zip(documents)
        .map(|(record, document)| Delivery::new(sink, record, document, Known::new()))
        .collect();
    let mut failures: Vec<Option<Failure>> = vec![None; deliveries.len()];
    while let Some(step) =
        (0..deliveries.len()).filter(|at| failures[*at].is_none()).find_map(|at| deliveries[at].next().cloned())
    {
        let at_step: Vec<usize> = (0..deliveries.len())
            .filter(|at| failures[*at].is_none() && deliveries[*at].next() == Some(&step))
            .collect();
        for batch in at_step.chunks(sink.batch_size(&step.name).max(1)) {
            let keys: Vec<_> = batch.iter().map(|at| deliveries[*at].keys(&step)).collect();
            let calls: Vec<_> = batch
                .iter()
                .zip(&keys)
                .map(|(at, (object_key, call_key))| deliveries[*at].call(&step, object_key, call_key))
                .collect();
            let outcomes = sink.apply(&calls).await;
            assert_eq!(outcomes.len(), batch.len(), "one outcome per call of step {}", step.name);
            for (at, outcome) in batch.iter().zip(outcomes) {
                failures[*at] = deliveries[*at].take(outcome).err();
            }
        }
    }
    deliveries
        .into_iter()
        .zip(failures)
        .map(|(delivery, failure)| match failure {
            None => Ok(delivery.known().clone()),
            Some(failure) => Err(failure),
        })
        .collect()
}

fn case<D: Serialize + Send + Sync>(bench: &dyn Bench<D>, n: usize) -> (RecordKey, D) {
    (bench.record(n), bench.document(n))
}

async fn arrives<D: Serialize + Send + Sync>(
    bench: &dyn Bench<D>,
    record: &RecordKey,
    document: &D,
    known: Known,
) -> Known {
    let known = drive(bench.sink(), record, document, known)
        .await
        .unwrap_or_else(|failure| panic!("{record} does not arrive: {failure:?}"));
    is_there_once(bench, record, document).await;
    known
}

async fn is_there_once<D: Serialize + Send + Sync>(bench: &dyn Bench<D>, record: &RecordKey, document: &D) {
    assert_eq!(bench.objects(document).await, 1, "objects of {record}");
    assert!(bench.holds(document).await, "the object of {record} does not show the document's values");
}
