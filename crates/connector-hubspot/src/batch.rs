//! Many records in few calls, with one outcome each.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use waybill_connector::Failure;

use crate::{
    client::{Call, Client, Denial},
    mapping,
    refusal::Refusal,
    wire::{BatchAnswer, Kind, Object, Properties, WriteInput},
};

/// Most inputs of one call (objects guide, "Limits").
pub(crate) const MOST_INPUTS: usize = 100;

/// How long a run of calls for one batch may go on before the rest is left for another time. With the last call it stays
/// under the engine's lease of 60 s.
const PATIENCE: Duration = Duration::from_secs(20);

/// When a run of calls has to end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// Of a run that begins now.
    pub(crate) fn from_now() -> Self {
        Self(Instant::now() + PATIENCE)
    }

    fn has_passed(self) -> bool {
        Instant::now() >= self.0
    }

    /// Ends the run once it is over.
    ///
    /// # Errors
    /// [`Failure::Transient`]: the rest is left for another time.
    pub(crate) fn check(self) -> Result<(), Failure> {
        if self.has_passed() {
            Err(Failure::Transient { message: "the batch takes too long".to_owned() })
        } else {
            Ok(())
        }
    }
}

/// One record to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) call: Call,
    /// The property that `id` is a value of; `None` if it is the record's id.
    pub(crate) id_property: Option<String>,
    pub(crate) id: String,
    pub(crate) properties: Properties,
}

impl Write {
    fn has_same_target(&self, other: &Self) -> bool {
        (self.call, &self.id_property, &self.id) == (other.call, &other.id_property, &other.id)
    }

    fn goes_with(&self, other: &Self) -> bool {
        (self.call, &self.id_property) == (other.call, &other.id_property)
    }
}

/// What became of a write.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// The record holds the values.
    Written(Object),
    /// The record to be updated is not there, or was merged into another.
    Missing,
    /// HubSpot refuses the values.
    Refused(Refusal),
    /// Something else, whatever was sent.
    Failed(Failure),
}

/// Writes records, at most [`MOST_INPUTS`] a call. Equal writes are sent once; different writes to one record are sent
/// one after another, because HubSpot takes no id twice in a batch.
///
/// `key_property` is a property that every write sets to a value of its own.
pub(crate) async fn write_all(
    client: &Client,
    kind: Kind,
    key_property: &str,
    writes: &[Write],
    deadline: Deadline,
) -> Vec<Outcome> {
    let mut outcomes: Vec<Option<Outcome>> = vec![None; writes.len()];
    let mut run = Run { client, kind, key_property, writes, deadline, broken: None };
    for layer in layers(writes) {
        for group in groups(writes, &layer) {
            for part in group.chunks(MOST_INPUTS) {
                run.write(part, &mut outcomes).await;
            }
        }
    }
    (0..writes.len())
        .map(|at| {
            let first = writes.iter().position(|write| *write == writes[at]).unwrap_or(at);
            outcomes[first].clone().unwrap_or_else(|| Outcome::Failed(run.broken_failure()))
        })
        .collect()
}

/// The places of the distinct writes; those with one target are in different layers, in their order.
fn layers(writes: &[Write]) -> Vec<Vec<usize>> {
    let mut layers: Vec<Vec<usize>> = Vec::new();
    for (at, write) in writes.iter().enumerate() {
        if writes[..at].contains(write) {
            continue;
        }
        let layer = layers
            .iter()
            .rposition(|layer| layer.iter().any(|&other| writes[other].has_same_target(write)))
            .map_or(0, |last| last + 1);
        if layer == layers.len() {
            layers.push(Vec::new());
        }
        layers[layer].push(at);
    }
    layers
}

/// The places of a layer by the call that takes them.
fn groups(writes: &[Write], layer: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for &at in layer {
        match groups.iter_mut().find(|group| writes[group[0]].goes_with(&writes[at])) {
            Some(group) => group.push(at),
            None => groups.push(vec![at]),
        }
    }
    groups
}

struct Run<'a> {
    client: &'a Client,
    kind: Kind,
    key_property: &'a str,
    writes: &'a [Write],
    deadline: Deadline,
    /// What stopped the run: the rest is not sent.
    broken: Option<Failure>,
}

impl Run<'_> {
    /// Writes one batch; where HubSpot refuses it as a whole, writes it in parts until only the refused are left.
    async fn write(&mut self, part: &[usize], outcomes: &mut [Option<Outcome>]) {
        let mut open = VecDeque::from([part.to_vec()]);
        while let Some(part) = open.pop_front() {
            if self.broken.is_none() {
                self.broken = self.deadline.check().err();
            }
            if self.broken.is_some() {
                return;
            }
            match self.send(&part).await {
                Err(Denial::Failed(failure)) => self.broken = Some(failure),
                Err(Denial::Refused(refusal)) => {
                    let properties = || part.iter().map(|&at| &self.writes[at].properties);
                    if part.len() == 1 || refusal.is_of_all(properties()) {
                        for at in part {
                            outcomes[at] = Some(self.refused(Refusal::clone(&refusal)));
                        }
                    } else {
                        let (first, second) = self.split(part, &refusal);
                        open.push_front(second);
                        open.push_front(first);
                    }
                }
                Ok(answer) => {
                    let unanswered = self.take(&part, answer, outcomes);
                    // An input that HubSpot says nothing about is asked for alone.
                    open.extend(unanswered.into_iter().map(|at| vec![at]));
                }
            }
        }
    }

    async fn send(&self, part: &[usize]) -> Result<BatchAnswer, Denial> {
        let first = &self.writes[part[0]];
        let inputs = part
            .iter()
            .map(|&at| {
                let write = &self.writes[at];
                WriteInput {
                    id: &write.id,
                    id_property: write.id_property.as_deref(),
                    object_write_trace_id: at.to_string(),
                    properties: &write.properties,
                }
            })
            .collect();
        self.client.write(self.kind, first.call, inputs).await
    }

    /// The suspects and the others; halves if all or none are suspected.
    fn split(&self, part: Vec<usize>, refusal: &Refusal) -> (Vec<usize>, Vec<usize>) {
        let (suspects, others): (Vec<_>, Vec<_>) =
            part.iter().copied().partition(|&at| refusal.may_concern(&self.writes[at].properties));
        if suspects.is_empty() || others.is_empty() {
            let (first, second) = part.split_at(part.len() / 2);
            return (first.to_vec(), second.to_vec());
        }
        (suspects, others)
    }

    /// Finds each input's result or error; returns those that have neither.
    fn take(&self, part: &[usize], answer: BatchAnswer, outcomes: &mut [Option<Outcome>]) -> Vec<usize> {
        for error in &answer.errors {
            let refusal = Refusal::read(http::StatusCode::MULTI_STATUS, error);
            let listed = |key: &str, text: &str| {
                error.context.get(key).is_some_and(|texts| texts.iter().any(|listed| listed == text))
            };
            for &at in part {
                if listed("objectWriteTraceId", &at.to_string()) || listed("ids", &self.writes[at].id) {
                    outcomes[at] = Some(self.refused(Refusal::clone(&refusal)));
                }
            }
        }
        if let ([at], [object], []) = (part, answer.results.as_slice(), answer.errors.as_slice()) {
            outcomes[*at] = Some(Outcome::Written(object.clone()));
        }
        for object in answer.results {
            if let Some(&at) = part.iter().find(|&&at| outcomes[at].is_none() && self.is_of(&object, at)) {
                outcomes[at] = Some(Outcome::Written(object));
            }
        }
        let unanswered: Vec<usize> = part.iter().copied().filter(|&at| outcomes[at].is_none()).collect();
        if part.len() > 1 {
            return unanswered;
        }
        for at in unanswered {
            outcomes[at] = Some(match self.writes[at].call {
                // "batch/update leaves a merged-away record out of the results without an error" (seen).
                Call::Update => Outcome::Missing,
                Call::Upsert => Outcome::Failed(Failure::Malformed {
                    message: "HubSpot's answer names neither a result nor an error for the input".to_owned(),
                    answer: String::new(),
                }),
            });
        }
        Vec::new()
    }

    /// Whether a result is this input's. Results come in any order, and not always with the trace id.
    fn is_of(&self, object: &Object, at: usize) -> bool {
        let write = &self.writes[at];
        if let Some(trace) = &object.object_write_trace_id {
            return *trace == at.to_string();
        }
        let shows = |name: &str, value: &str| {
            let shown = object.properties.get(name).and_then(Option::as_deref);
            shown.is_some_and(|shown| mapping::same(name, value, shown))
        };
        match &write.id_property {
            None => object.id == write.id,
            Some(name) => {
                shows(name, write.properties.get(name).unwrap_or(&write.id))
                    || write.properties.get(self.key_property).is_some_and(|key| shows(self.key_property, key))
            }
        }
    }

    fn refused(&self, refusal: Refusal) -> Outcome {
        if refusal.is_missing_record() { Outcome::Missing } else { Outcome::Refused(refusal) }
    }

    fn broken_failure(&self) -> Failure {
        self.broken.clone().unwrap_or_else(|| Failure::Transient { message: "the record was not sent".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(id: &str, value: &str) -> Write {
        Write {
            call: Call::Upsert,
            id_property: Some("email".to_owned()),
            id: id.to_owned(),
            properties: Properties::from([("firstname".to_owned(), value.to_owned())]),
        }
    }

    #[test]
    fn equal_writes_go_once_and_different_ones_to_one_record_one_after_another() {
        let writes =
            [write("a", "1"), write("b", "1"), write("a", "1"), write("a", "2"), write("a", "3"), write("b", "1")];
        assert_eq!(layers(&writes), [vec![0, 1], vec![3], vec![4]]);
    }

    #[test]
    fn each_call_has_its_own_batch() {
        let by_id = Write { call: Call::Update, id_property: None, ..write("7", "1") };
        let writes = [write("a", "1"), by_id, write("b", "1")];
        assert_eq!(groups(&writes, &[0, 1, 2]), [vec![0, 2], vec![1]]);
    }
}
