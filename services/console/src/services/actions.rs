//! What a person may do: retry, discard, pause, resume.

use std::collections::BTreeSet;

use futures::future::join_all;
use tonic::{Code, Response, Status};
use waybill_proto::wire::{
    ChangedDeliveriesResponse, DiscardDeliveriesRequest, EditRequest, EditResponse, HearAgainRequest, PauseRequest,
    RecordKey, SelectDeliveriesRequest, SystemReport, SystemsRequest, SystemsResponse,
    deliveries_client::DeliveriesClient,
};

use waybill_runtime::grpc::PeerChannel;

use super::{Gathered, Services, Unanswered};

/// So many are asked for at once.
const PAGE: i64 = 200;

/// Parked deliveries to act on. What is absent selects all.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Only of this system.
    pub system: Option<String>,
    /// Only with this code.
    pub code: Option<String>,
    /// Only of this record.
    pub record: Option<RecordKey>,
    /// Retries: so many a second in each service; 0 for all at once.
    pub rate: f64,
    /// At most so many in each service, those that were parked first.
    pub limit: Option<i64>,
}

/// Who acts, and why; for the audit.
#[derive(Debug, Clone)]
pub struct Who {
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// What an action came to.
#[derive(Debug, Clone)]
pub struct Changed {
    /// How many deliveries it changed, or would change.
    pub deliveries: i64,
    /// The services that it did not reach: theirs are as they were.
    pub unanswered: Vec<Unanswered>,
}

impl Choice {
    fn request(self, who: Who, dry_run: bool) -> SelectDeliveriesRequest {
        SelectDeliveriesRequest {
            system: self.system.unwrap_or_default(),
            code: self.code.unwrap_or_default(),
            key: self.record,
            actor: who.actor,
            reason: who.reason,
            dry_run,
            rate: self.rate,
            limit: self.limit.unwrap_or_default(),
            after_seconds: 0.0,
        }
    }
}

pub(super) fn sum(gathered: Gathered<ChangedDeliveriesResponse>) -> Changed {
    Changed {
        deliveries: gathered.found.iter().map(|(_, answer)| answer.changed).sum(),
        unanswered: gathered.unanswered,
    }
}

/// What the services that serve a system say of it.
pub(super) fn of_system(system: &str, answers: Gathered<SystemsResponse>) -> Gathered<Vec<SystemReport>> {
    let reports =
        |answer: SystemsResponse| answer.systems.into_iter().filter(|report| report.system == system).collect();
    Gathered {
        found: answers.found.into_iter().map(|(service, answer)| (service, reports(answer))).collect(),
        // A service that does not serve the system says so; that is no failure.
        unanswered: answers.unanswered.into_iter().filter(|unanswered| !unanswered.says(Code::NotFound)).collect(),
    }
}

impl Services {
    /// Has parked deliveries decided and applied again with the newest snapshot; `dry_run` counts them only.
    pub async fn retry(&self, choice: Choice, who: Who, dry_run: bool) -> Changed {
        let rate = choice.rate;
        let request = choice.request(who, dry_run);
        self.page_by_page(request, |channel, request, done| {
            #[expect(clippy::cast_precision_loss, reason = "a number of deliveries")]
            let after_seconds = if rate > 0.0 { done as f64 / rate } else { 0.0 };
            let request = SelectDeliveriesRequest { after_seconds, ..request };
            async { DeliveriesClient::new(channel).retry(request).await }
        })
        .await
    }

    /// Ends parked deliveries as ignored; `dry_run` counts them only.
    pub async fn discard(&self, choice: Choice, who: Who, dry_run: bool) -> Changed {
        self.page_by_page(choice.request(who, dry_run), |channel, request, _| {
            let request = DiscardDeliveriesRequest { select: Some(request) };
            async { DeliveriesClient::new(channel).discard(request).await }
        })
        .await
    }

    /// Asks each service for a part after the other, so that none takes longer than an answer may, and whatever was
    /// done is counted.
    async fn page_by_page<F>(
        &self,
        request: SelectDeliveriesRequest,
        call: impl Fn(PeerChannel, SelectDeliveriesRequest, i64) -> F,
    ) -> Changed
    where
        F: Future<Output = Result<Response<ChangedDeliveriesResponse>, Status>>,
    {
        let (request, call) = (&request, &call);
        let services = self.peers.keys().map(|name| async move {
            // What is parked again while others are tried is not tried again: no more than there are now.
            let counting = SelectDeliveriesRequest { dry_run: true, ..request.clone() };
            let most = match self.ask(name, |channel| call(channel, counting, 0)).await {
                Ok(counted) if request.dry_run => return (counted.changed, None),
                Ok(counted) => counted.changed,
                Err(unanswered) if unanswered.says(Code::Unimplemented) => return (0, None),
                Err(unanswered) => return (0, Some(unanswered)),
            };
            let mut done = 0;
            while done < most {
                let part = SelectDeliveriesRequest { limit: PAGE.min(most - done), ..request.clone() };
                match self.ask(name, |channel| call(channel, part, done)).await {
                    // Others have seen to the rest.
                    Ok(answer) if answer.changed == 0 => break,
                    Ok(answer) => done += answer.changed,
                    Err(unanswered) => return (done, Some(unanswered)),
                }
            }
            (done, None)
        });
        let mut changed = Changed { deliveries: 0, unanswered: Vec::new() };
        for (done, unanswered) in join_all(services).await {
            changed.deliveries += done;
            changed.unanswered.extend(unanswered);
        }
        changed
    }

    /// Pauses or resumes a system in every service that serves it; gives the system's reports after it.
    pub async fn pause(&self, system: &str, paused: bool, who: Who) -> Gathered<Vec<SystemReport>> {
        let request = PauseRequest {
            system: system.to_owned(),
            paused,
            actor: who.actor,
            reason: who.reason,
            flow: String::new(),
        };
        of_system(system, self.ask_to_pause(request).await)
    }

    /// Pauses or resumes a flow in the service whose business it is; gives that service.
    pub async fn pause_flow(&self, flow: &str, paused: bool, who: Who) -> Gathered<()> {
        let request =
            PauseRequest { system: String::new(), paused, actor: who.actor, reason: who.reason, flow: flow.to_owned() };
        let answers = self.ask_to_pause(request).await;
        Gathered {
            found: answers.found.into_iter().map(|(service, _)| (service, ())).collect(),
            unanswered: answers.unanswered.into_iter().filter(|one| !one.says(Code::NotFound)).collect(),
        }
    }

    async fn ask_to_pause(&self, request: PauseRequest) -> Gathered<SystemsResponse> {
        self.ask_all(|channel| {
            let request = request.clone();
            async { DeliveriesClient::new(channel).pause(request).await }
        })
        .await
    }

    /// Has every service hear a record from its source once more, and make what is gone of its deliveries again.
    pub async fn hear_again(&self, key: &RecordKey, who: Who) -> Changed {
        let request = HearAgainRequest { key: Some(key.clone()), actor: who.actor, reason: who.reason };
        let answers = self
            .ask_all(|channel| {
                let request = request.clone();
                async { DeliveriesClient::new(channel).hear_again(request).await }
            })
            .await;
        let Changed { deliveries, unanswered } = sum(answers);
        // Whoever does not bring such records anywhere says so; that is no failure.
        Changed { deliveries, unanswered: unanswered.into_iter().filter(|one| !one.says(Code::NotFound)).collect() }
    }

    /// Asks every service for an edit of one delivery; those that do not serve it say `NotFound`.
    pub async fn edit(&self, request: EditRequest, who: Who) -> Gathered<EditResponse> {
        let request = EditRequest { actor: who.actor, reason: who.reason, ..request };
        self.ask_all(|channel| {
            let request = request.clone();
            async { DeliveriesClient::new(channel).edit(request).await }
        })
        .await
    }

    /// Asks one service for it.
    ///
    /// # Errors
    /// If it does not answer, or refuses.
    pub async fn edit_at(&self, service: &str, request: EditRequest, who: Who) -> Result<EditResponse, Unanswered> {
        let request = EditRequest { actor: who.actor, reason: who.reason, ..request };
        self.ask(service, |channel| async { DeliveriesClient::new(channel).edit(request).await }).await
    }

    /// Every system's condition, as each service that serves it sees it.
    pub async fn systems(&self) -> Gathered<Vec<SystemReport>> {
        let answers =
            self.ask_all(|channel| async { DeliveriesClient::new(channel).systems(SystemsRequest {}).await }).await;
        Gathered {
            found: answers.found.into_iter().map(|(service, answer)| (service, answer.systems)).collect(),
            unanswered: answers.unanswered,
        }
    }

    /// The names of the systems that a service serves.
    pub async fn system_names(&self) -> BTreeSet<String> {
        let gathered = self.systems().await;
        gathered.found.into_iter().flat_map(|(_, reports)| reports).map(|report| report.system).collect()
    }
}
