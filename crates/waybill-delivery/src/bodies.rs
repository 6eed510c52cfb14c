//! A delivery that gave up its body has it fetched from its source when it is decided anew.

use anyhow::Context as _;
use prost::Message as _;
use waybill_bus::subjects;
use waybill_domain::{RecordKey, Snapshot};
use waybill_plan::Plan;
use waybill_proto::wire::{self, source_client::SourceClient};

use crate::{
    deciding,
    engine::Engine,
    intake::Heard,
    settling::End,
    store::{
        bodies,
        claim::Claim,
        facts::OtherRow,
        settle::{self, Back},
    },
    sweep,
};

/// How long until a source that did not answer is asked again.
const ASK_AGAIN_SECONDS: f64 = 5.0;

impl Engine {
    /// A record's newest snapshot, from its source; `None` if the source does not have it.
    ///
    /// # Errors
    /// If the source has no address or does not answer.
    pub(crate) async fn ask_source(&self, key: &RecordKey) -> anyhow::Result<Option<Snapshot>> {
        let source = sweep::source_of(subjects::domain(key.kind));
        let channel = source.and_then(|source| self.sources().get(source));
        let channel =
            channel.with_context(|| format!("the source of {} records has no address in 'peers'", key.kind))?;
        let request = wire::GetSnapshotRequest { key: Some(key.into()) };
        let mut client = SourceClient::new(channel.clone()).max_decoding_message_size(64 * 1024 * 1024);
        match client.get_snapshot(request).await {
            Ok(answer) => Ok(Some(answer.into_inner().try_into()?)),
            Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
            Err(status) => Err(status.into()),
        }
    }

    /// The claims that have their bodies. Of the others, one whose source does not answer is tried again, and one whose
    /// source does not have it any more ends as it stood.
    pub(crate) async fn with_bodies(&self, plan: &Plan, claims: Vec<Claim>) -> sqlx::Result<Vec<Claim>> {
        let (mut whole, without): (Vec<Claim>, Vec<Claim>) =
            claims.into_iter().partition(|claim| !claim.desired.is_empty());
        for mut claim in without {
            match self.body_of(&claim).await {
                Ok(Some(snapshot)) => {
                    claim.desired = snapshot;
                    whole.push(claim);
                }
                Ok(None) => {
                    let (state, code) =
                        if claim.applied_number.is_some() { ("applied", "") } else { ("parked", "malformed") };
                    let message = "its body was removed by age and its source does not have it any more";
                    let ended = deciding::ended(&plan.hash, &claim, state, code, "", message);
                    let system = claim.system.clone();
                    self.settle(&system, vec![End { claim, ended, sent: Vec::new() }]).await?;
                }
                Err(error) => {
                    tracing::info!(delivery = claim.id, error = format!("{error:#}"), "its body cannot be fetched yet");
                    self.wait_for_source(plan, &claim).await?;
                }
            }
        }
        Ok(whole)
    }

    /// Puts a claim back until its source answers.
    pub(crate) async fn wait_for_source(&self, plan: &Plan, claim: &Claim) -> sqlx::Result<()> {
        let message = "a body was removed by age and is fetched from its source".to_owned();
        let back = Back::waiting(claim, ASK_AGAIN_SECONDS, "source", message, &plan.hash);
        settle::put_back(&mut *self.pool().acquire().await?, &back).await
    }

    /// Deliveries that nobody holds, with their bodies so far as they can be had.
    pub(crate) async fn filled(&self, mut claims: Vec<Claim>) -> Vec<Claim> {
        for claim in claims.iter_mut().filter(|claim| claim.desired.is_empty()) {
            match self.body_of(claim).await {
                Ok(body) => claim.desired = body.unwrap_or_default(),
                Err(error) => {
                    tracing::info!(delivery = claim.id, error = format!("{error:#}"), "its body cannot be fetched yet");
                }
            }
        }
        claims
    }

    /// The body of a claim that has none. It is put back, and goes again with age.
    async fn body_of(&self, claim: &Claim) -> anyhow::Result<Option<Vec<u8>>> {
        let key = RecordKey { store: claim.store.parse()?, kind: claim.kind.parse()?, id: claim.record_id.parse()? };
        let Some(snapshot) = self.ask_source(&key).await? else { return Ok(None) };
        let wanted = (claim.desired_epoch, claim.desired_number);
        let has = (snapshot.revision.epoch, snapshot.revision.number);
        if has != wanted {
            // It has changed since: the newer one is heard, and decides instead.
            self.take(vec![Heard { snapshot, traceparent: claim.traceparent.clone() }]).await?;
            anyhow::bail!("its source has revision {}-{} of it", has.0, has.1);
        }
        let body = wire::Snapshot::from(&snapshot).encode_to_vec();
        bodies::put_back(self.pool(), claim.id, wanted, &body).await?;
        Ok(Some(body))
    }

    /// Fetches the bodies of other records that decisions need. Gives those whose source does not answer; one that the
    /// source does not have any more is as if it were not known.
    pub(crate) async fn fill_in(&self, others: &mut [OtherRow]) -> Vec<RecordKey> {
        let mut silent = Vec::new();
        for other in others.iter_mut().filter(|other| other.desired.is_empty()) {
            let (Ok(store), Ok(kind), Ok(id)) = (other.store.parse(), other.kind.parse(), other.record_id.parse())
            else {
                continue;
            };
            let key = RecordKey { store, kind, id };
            match self.ask_source(&key).await {
                Ok(Some(snapshot)) => other.desired = wire::Snapshot::from(&snapshot).encode_to_vec(),
                Ok(None) => tracing::info!(record = %key, "its source does not have it any more"),
                Err(error) => {
                    tracing::info!(record = %key, error = format!("{error:#}"), "its body cannot be fetched yet");
                    silent.push(key);
                }
            }
        }
        silent
    }
}
