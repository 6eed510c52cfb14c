//! Applied deliveries compared with what their systems hold. Nothing is written there.

use std::collections::{BTreeMap, BTreeSet};

use waybill_connector::{Failure, Finding, Known, Look, Seen, look::is_of_one};
use waybill_domain::{
    Kind, Snapshot,
    document::{FieldValue, Fields},
};
use waybill_plan::{DeliveryFacts, Document, Facts, Flow, Held, Plan, Stands, differing, held, owner_of_kind};

use crate::{
    apply::object_of,
    deciding::object_key,
    engine::{Engine, Served},
    sinks::{AnyFieldsCall, AnyLookCall},
    store::{audit::Healed, claim::Claim},
};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Missing,
    Differs,
    Doubled,
    Unreadable,
}

/// Something that is not as it was brought to the system.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) what: What,
    /// Which of the record's objects.
    pub(crate) role: String,
    pub(crate) field: String,
    /// As it was sent, and as it is there.
    pub(crate) values: Option<(FieldValue, FieldValue)>,
    pub(crate) owner: String,
    /// Whose stands by the plan, where something differs.
    pub(crate) stands: Stands,
    /// Whether writing it again mends it.
    pub(crate) heals: bool,
    /// The system's ids of several.
    pub(crate) ids: Vec<String>,
    pub(crate) message: String,
}

/// A delivery that was compared.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) claim: Claim,
    pub(crate) outcome: Outcome,
}

/// What came of comparing a delivery.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The system cannot be looked into, or the plan brings the record there no more.
    LeftOut,
    /// All that is not as it was brought there, and how writing it again would begin.
    Seen { found: Vec<Found>, healed: Healed },
}

/// A delivery with what its system is to hold.
struct Case<'a> {
    claim: Claim,
    flow: &'a Flow,
    snapshot: Snapshot,
    delivery: DeliveryFacts,
    held: Held,
}

impl Engine {
    /// Compares deliveries of one system and kind.
    ///
    /// # Errors
    /// Of the outer result, if the database fails; of the inner one, what the system itself fails with, so that nothing
    /// can be said of any of them.
    pub(crate) async fn compare(
        &self,
        plan: &Plan,
        served: &Served,
        kind: Kind,
        claims: Vec<Claim>,
    ) -> sqlx::Result<Result<Vec<Compared>, Failure>> {
        let (mut compared, mut cases) = (Vec::new(), Vec::new());
        for (claim, snapshot, known) in self.gather(plan, &served.name, self.filled(claims).await).await? {
            match case(plan, served, claim, snapshot, known) {
                Ok(case) => cases.push(case),
                Err(claim) => compared.push(Compared { claim: *claim, outcome: Outcome::LeftOut }),
            }
        }
        let looks = look(served, &cases).await;
        let shown = match read(served, kind, &cases, &looks).await {
            Ok(shown) => shown,
            Err(failure) => return Ok(Err(failure)),
        };
        for ((case, look), shown) in cases.into_iter().zip(looks).zip(shown) {
            let outcome = match look {
                Err(failure) if !is_of_one(&failure) => return Ok(Err(failure)),
                Ok(Look::Untold) => Outcome::LeftOut,
                Ok(Look::Seen(seen)) => seen_of(plan, &case, seen, shown),
                Err(failure) => {
                    Outcome::Seen { found: vec![unreadable(plan, kind, &failure)], healed: Healed::default() }
                }
            };
            compared.push(Compared { claim: case.claim, outcome });
        }
        Ok(Ok(compared))
    }
}

fn case<'a>(
    plan: &'a Plan,
    served: &Served,
    claim: Claim,
    snapshot: Option<Snapshot>,
    known: Option<(DeliveryFacts, Facts)>,
) -> Result<Case<'a>, Box<Claim>> {
    let (Some(snapshot), Some((delivery, facts))) = (snapshot, known) else { return Err(Box::new(claim)) };
    let Some(flow) = plan.flow(&snapshot.key.store, snapshot.key.kind, &served.name) else {
        return Err(Box::new(claim));
    };
    match held(plan, flow, &snapshot, &delivery, &facts) {
        Ok(held) => Ok(Case { claim, flow, snapshot, delivery, held }),
        Err(_) => Err(Box::new(claim)),
    }
}

/// Looks for all of them at once. A system that takes no such records cannot be asked for them.
async fn look(served: &Served, cases: &[Case<'_>]) -> Vec<Result<Look, Failure>> {
    let Some(sink) = cases.first().and_then(|case| served.port.sink(&case.held.document)) else {
        return cases.iter().map(|_| Ok(Look::Untold)).collect();
    };
    let calls: Vec<AnyLookCall<'_>> =
        cases.iter().map(|case| AnyLookCall { document: &case.held.document, known: &case.claim.known.0 }).collect();
    sink.look(&calls).await
}

/// What the system shows of the mapped fields of those that it has: by role, for each case. What is wrong with one
/// record's fields is told as nothing shown.
async fn read(
    served: &Served,
    kind: Kind,
    cases: &[Case<'_>],
    looks: &[Result<Look, Failure>],
) -> Result<Vec<Result<BTreeMap<String, Fields>, Failure>>, Failure> {
    let mut shown: Vec<Result<BTreeMap<String, Fields>, Failure>> = cases.iter().map(|_| Ok(BTreeMap::new())).collect();
    let roles: BTreeSet<&String> = cases.iter().flat_map(|case| case.held.fields.keys()).collect();
    for role in roles {
        let has = |at: &usize| matches!(&looks[*at], Ok(Look::Seen(seen)) if !is_missing(seen, role));
        let asked: Vec<usize> =
            (0..cases.len()).filter(|at| cases[*at].held.fields.contains_key(role)).filter(has).collect();
        let nothing = Known::new();
        let calls: Vec<AnyFieldsCall<'_>> = asked
            .iter()
            .map(|&at| {
                let Case { claim, snapshot, held, .. } = &cases[at];
                AnyFieldsCall {
                    document: &held.document,
                    role,
                    object_key: object_key(&held.document, &snapshot.key, role),
                    known: if claim.known.0.is_empty() { &nothing } else { &claim.known.0 },
                    names: &held.fields[role],
                }
            })
            .collect();
        if calls.is_empty() {
            continue;
        }
        let Some(found) = served.port.read_fields(kind, &calls).await else { continue };
        for (at, found) in asked.into_iter().zip(found) {
            match (found, &mut shown[at]) {
                (Ok(Some(fields)), Ok(roles)) => drop(roles.insert(role.clone(), fields)),
                (Ok(_), _) => {}
                (Err(failure), _) if !is_of_one(&failure) => return Err(failure),
                (Err(failure), one) => *one = Err(failure),
            }
        }
    }
    Ok(shown)
}

fn is_missing(seen: &Seen, role: &str) -> bool {
    seen.findings.iter().any(|finding| matches!(finding, Finding::Missing { role: gone } if gone == role))
}

fn unreadable(plan: &Plan, kind: Kind, failure: &Failure) -> Found {
    let field = match failure {
        Failure::Rejected { field, .. } | Failure::Conflict { field, .. } => field.clone(),
        _ => String::new(),
    };
    Found { field, message: failure.to_string(), ..found(plan, kind, What::Unreadable, "") }
}

fn found(plan: &Plan, kind: Kind, what: What, role: &str) -> Found {
    Found {
        what,
        role: role.to_owned(),
        field: String::new(),
        values: None,
        owner: owner_of_kind(plan, kind),
        stands: Stands::Person,
        heals: false,
        ids: Vec::new(),
        message: String::new(),
    }
}

/// Puts together what was seen of one delivery. Pure.
fn seen_of(plan: &Plan, case: &Case<'_>, seen: Seen, shown: Result<BTreeMap<String, Fields>, Failure>) -> Outcome {
    let Case { claim, flow, snapshot, delivery, held } = case;
    let kind = snapshot.key.kind;
    let mut healed = Healed { id: claim.id, wake: claim.wake, ..Healed::default() };
    let mut all = Vec::new();
    let object = |role: &str| object_of(&claim.target_key, &snapshot.key, role);
    for finding in seen.findings {
        match finding {
            Finding::Missing { role } => {
                healed.forgets = true;
                // A document of one object has one base, whatever the connector calls the object.
                let bases = delivery.sent.keys().filter(|base| **base == role || !of_several(&held.document));
                healed.unsent.extend(bases.map(|base| (object(base), base.clone(), None)));
                let one = found(plan, kind, What::Missing, &role);
                all.push(Found { stands: Stands::Ours, heals: true, ..one });
            }
            Finding::Doubled { role, ids } => {
                all.push(Found { ids, ..found(plan, kind, What::Doubled, &role) });
            }
            // What the plan wants by now may be another document than the one that was written.
            Finding::Differs { .. } if !held.is_current => {}
            Finding::Differs { role, field, ours, theirs, is_writable } => {
                let stands = if is_writable { Stands::Ours } else { Stands::Person };
                let one = found(plan, kind, What::Differs, &role);
                all.push(Found { field, values: Some((ours, theirs)), stands, heals: is_writable, ..one });
            }
        }
    }
    match shown {
        Err(failure) => all.push(unreadable(plan, kind, &failure)),
        Ok(shown) => {
            for one in differing(plan, flow, &held.document, &delivery.sent, &shown) {
                // Of what was adopted with some of its fields only, the others were never ours.
                if seen.only.get(&one.role).is_some_and(|only| !only.contains(&one.field)) {
                    continue;
                }
                let heals = one.stands == Stands::Ours;
                if heals {
                    healed.unsent.push((object(&one.role), one.role.clone(), Some(vec![one.field.clone()])));
                }
                all.push(Found {
                    field: one.field,
                    values: Some((one.sent, one.there)),
                    owner: one.owner,
                    stands: one.stands,
                    heals,
                    ..found(plan, kind, What::Differs, &one.role)
                });
            }
        }
    }
    // Nothing is written over what a person has to sort out first, nor what the plan writes no more: an order that was
    // sent is not to be packed again because the shipping tool lost it.
    let why = if all.iter().any(|one| one.what == What::Doubled) {
        "for a person: sort out the doubled ones first"
    } else if held.is_past {
        "for a person: the plan's point of no return is past"
    } else {
        return Outcome::Seen { found: all, healed };
    };
    for one in all.iter_mut().filter(|one| one.heals) {
        (one.heals, one.stands, one.message) = (false, Stands::Person, why.to_owned());
    }
    Outcome::Seen { found: all, healed }
}

/// Whether a document's objects have bases of their own.
fn of_several(document: &Document) -> bool {
    matches!(document, Document::Order(_))
}
