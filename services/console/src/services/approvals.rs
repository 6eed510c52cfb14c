//! What waits for a person's word before it is written for the first time.

use waybill_proto::wire::{
    ApproveRequest, ListApprovalsRequest, RecordKey, RefuseRequest, ReleaseRequest, Revision, SystemReport,
    deliveries_client::DeliveriesClient,
};

use super::{Changed, Gathered, Services, Unanswered, Who, actions};

pub use waybill_proto::wire::list_approvals_response::Approval;

/// Deliveries that wait for a person.
#[derive(Debug, Clone)]
pub struct Approvals {
    /// Which, the longest wait first.
    pub waiting: Vec<Approval>,
    /// How many wait that are not listed.
    pub more: i64,
    /// Services that could not be asked: theirs are not here.
    pub unanswered: Vec<Unanswered>,
}

/// A delivery to give a word on.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The system.
    pub system: String,
    /// The record.
    pub record: RecordKey,
    /// What the person has seen, if that matters: one that has changed since is not decided.
    pub seen: Option<Revision>,
}

impl Services {
    /// What waits for a person, of a system and a record or of all.
    pub async fn approvals(&self, system: Option<&str>, record: Option<&RecordKey>) -> Approvals {
        let request = ListApprovalsRequest {
            system: system.unwrap_or_default().to_owned(),
            key: record.cloned(),
            limit: 0,
            offset: 0,
        };
        let gathered = self
            .ask_all(|channel| {
                let request = request.clone();
                async { DeliveriesClient::new(channel).list_approvals(request).await }
            })
            .await;
        let total: i64 = gathered.found.iter().map(|(_, answer)| answer.total).sum();
        let mut waiting: Vec<Approval> = gathered.found.into_iter().flat_map(|(_, answer)| answer.approvals).collect();
        waiting.sort_by_key(|approval| approval.since.map(|since| (since.seconds, since.nanos)));
        Approvals { more: (total - waiting.len() as i64).max(0), waiting, unanswered: gathered.unanswered }
    }

    /// Lets a record be written for the first time.
    pub async fn approve(&self, asking: Asking, who: Who) -> Changed {
        let request = ApproveRequest {
            system: asking.system,
            key: Some(asking.record),
            actor: who.actor,
            reason: who.reason,
            seen: asking.seen,
        };
        let answers = self.ask_all(|channel| {
            let request = request.clone();
            async { DeliveriesClient::new(channel).approve(request).await }
        });
        actions::sum(answers.await)
    }

    /// Keeps a record away from a system, until its next change asks again.
    pub async fn refuse(&self, asking: Asking, who: Who) -> Changed {
        let request = RefuseRequest {
            system: asking.system,
            key: Some(asking.record),
            actor: who.actor,
            reason: who.reason,
            seen: asking.seen,
        };
        let answers = self.ask_all(|channel| {
            let request = request.clone();
            async { DeliveriesClient::new(channel).refuse(request).await }
        });
        actions::sum(answers.await)
    }

    /// Lets a system's first run create as much as it will; gives the system's reports after it.
    pub async fn release(&self, system: &str, who: Who) -> Gathered<Vec<SystemReport>> {
        let request = ReleaseRequest { system: system.to_owned(), actor: who.actor, reason: who.reason };
        let answers = self
            .ask_all(|channel| {
                let request = request.clone();
                async { DeliveriesClient::new(channel).release(request).await }
            })
            .await;
        actions::of_system(system, answers)
    }
}
