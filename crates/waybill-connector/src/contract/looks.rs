//! What a look has to see, and that it touches nothing.

use serde::Serialize;

use super::{Bench, drive};
use crate::{
    look::{Finding, Look, LookCall},
    sink::Known,
};

/// Looks at documents; gives the findings of each, `None` where the system can be told and not asked.
async fn look<D: Serialize + Send + Sync>(
    bench: &dyn Bench<D>,
    documents: &[(&D, &Known)],
) -> Option<Vec<Vec<Finding>>> {
    let calls: Vec<_> = documents.iter().map(|(document, known)| LookCall { document: *document, known }).collect();
    let before = bench.writes().await;
    let looks = bench.sink().look(&calls).await;
    assert_eq!(bench.writes().await, before, "a look has written");
    assert_eq!(looks.len(), documents.len(), "one outcome per call");
    let findings = |look: Result<Look, crate::Failure>| match look {
        Ok(Look::Untold) => None,
        Ok(Look::Seen(seen)) => Some(seen.findings),
        Err(failure) => panic!("a look fails: {failure:?}"),
    };
    looks.into_iter().map(findings).collect()
}

async fn arrives<D: Serialize + Send + Sync>(bench: &dyn Bench<D>, n: usize) -> (D, Known) {
    let document = bench.document(n);
    let known = drive(bench.sink(), &bench.record(n), &document, Known::new()).await;
    (document, known.unwrap_or_else(|failure| panic!("document {n} does not arrive: {failure:?}")))
}

/// What was applied is as it was brought there, by its key alone too; what was never there is told among the others.
pub async fn a_look_sees_what_was_applied_and_writes_nothing<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    let (first, known) = arrives(bench, 1200).await;
    let (second, known_of_second) = arrives(bench, 1201).await;
    let (never, nothing) = (bench.document(1202), Known::new());
    let documents = [(&first, &known), (&never, &nothing), (&second, &known_of_second), (&first, &nothing)];
    let Some(findings) = look(bench, &documents).await else { return };
    for at in [0, 2, 3] {
        assert_eq!(findings[at], [], "document {at} was applied");
    }
    assert_ne!(findings[1], [], "a document that was never sent");
}

/// What the vendor lost is missing, though its id is known; written again with what is known forgotten, it is there.
pub async fn a_look_tells_what_was_lost<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    let (document, known) = arrives(bench, 1220).await;
    bench.lose(&document).await;
    let findings = look(bench, &[(&document, &known)]).await.expect("a vendor that loses objects can be asked");
    assert!(matches!(findings[0].as_slice(), [Finding::Missing { .. }]), "what was lost: {:?}", findings[0]);
    let (document, known) = arrives(bench, 1220).await;
    assert_eq!(bench.objects(&document).await, 1, "objects of what was lost and written again");
    assert_eq!(look(bench, &[(&document, &known)]).await, Some(vec![Vec::new()]), "what was written again");
}

/// Two objects with one key are told with their ids, and both stay.
pub async fn a_look_tells_of_two_and_leaves_both<D: Serialize + Send + Sync>(bench: &dyn Bench<D>) {
    let (document, known) = arrives(bench, 1230).await;
    bench.double(&document).await;
    let findings = look(bench, &[(&document, &known)]).await.expect("a vendor with two objects can be asked");
    let [Finding::Doubled { ids, .. }] = findings[0].as_slice() else { panic!("of two: {:?}", findings[0]) };
    assert_eq!((ids.len(), bench.objects(&document).await), (2, 2), "{ids:?}");
}
