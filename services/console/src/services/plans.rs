//! Which plan each running replica obeys.

use std::collections::BTreeMap;

use jiff::Timestamp;
use waybill_proto::wire::{self, ListReplicasRequest, watch_client::WatchClient};

use super::{Services, Unanswered, WATCH};
use crate::words;

/// The replicas that the watch hears of. The console is none: it obeys no plan.
#[derive(Debug, Clone, Default)]
pub struct Plans {
    /// Each with the plan that it obeys, by service and name.
    pub replicas: Vec<Replica>,
    /// Services that have an address, and of which no replica was heard for a minute.
    pub unheard: Vec<String>,
}

/// A process of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// The service.
    pub service: String,
    /// Its host and its number there.
    pub name: String,
    /// Hash of the plan that it obeys.
    pub hash: String,
    /// Since when it obeys it.
    pub since: Option<Timestamp>,
    /// Why it refuses the file that it looked at last; empty if that passes.
    pub problem: String,
    /// Since when the file has not passed.
    pub refused_since: Option<Timestamp>,
    /// When it was last heard of.
    pub heard_at: Option<Timestamp>,
}

impl From<wire::Replica> for Replica {
    fn from(replica: wire::Replica) -> Self {
        let plan = replica.plan.unwrap_or_default();
        Self {
            service: plan.service,
            name: plan.replica,
            hash: plan.plan_hash,
            since: words::instant(plan.obeyed_since),
            problem: plan.problem,
            refused_since: words::instant(plan.refused_since),
            heard_at: words::instant(replica.heard_at),
        }
    }
}

impl Services {
    /// Which plan each running replica obeys, from the watch.
    ///
    /// # Errors
    /// If the watch does not answer.
    pub async fn plans(&self) -> Result<Plans, Unanswered> {
        let request = ListReplicasRequest {};
        let answer =
            self.ask(WATCH, |channel| async { WatchClient::new(channel).list_replicas(request).await }).await?;
        let replicas: Vec<Replica> = answer.replicas.into_iter().map(Into::into).collect();
        let heard = |service: &&String| replicas.iter().any(|replica| replica.service == **service);
        let unheard = self.peers.keys().filter(|service| !heard(service)).cloned().collect();
        Ok(Plans { replicas, unheard })
    }
}

impl Plans {
    /// The plans that are obeyed, by hash, with how many replicas obey each.
    pub fn hashes(&self) -> BTreeMap<&str, usize> {
        let mut hashes = BTreeMap::new();
        for replica in &self.replicas {
            *hashes.entry(replica.hash.as_str()).or_insert(0) += 1;
        }
        hashes
    }

    /// What is wrong, a line each: different plans, refusals.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let hashes = self.hashes();
        if hashes.len() > 1 {
            let told: Vec<_> = hashes.iter().map(|(hash, replicas)| format!("{hash} ({replicas})")).collect();
            wrong.push(format!("replicas obey different plans: {}", told.join(", ")));
        }
        for replica in self.replicas.iter().filter(|replica| !replica.problem.is_empty()) {
            let Replica { service, name, .. } = replica;
            wrong.push(format!("{service} {name} refuses the changed file: {}", replica.first_line()));
        }
        wrong
    }

    /// What is not known, a line each. Silence is not agreement.
    pub fn untold(&self) -> Vec<String> {
        if self.replicas.is_empty() {
            return vec!["no replica has said which plan it obeys".to_owned()];
        }
        let silent = |service| format!("no replica of {service} has said for a minute which plan it obeys");
        self.unheard.iter().map(silent).collect()
    }
}

impl Replica {
    /// The problem in one line.
    pub fn first_line(&self) -> &str {
        self.problem.lines().next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Plans, Replica};

    fn replica(service: &str, hash: &str) -> Replica {
        Replica {
            service: service.to_owned(),
            name: "host-1".to_owned(),
            hash: hash.to_owned(),
            since: None,
            problem: String::new(),
            refused_since: None,
            heard_at: None,
        }
    }

    #[test]
    fn one_plan_for_all_is_well() {
        let plans =
            Plans { replicas: vec![replica("erp-sync", "one"), replica("crm-sync", "one")], ..Plans::default() };
        assert_eq!((plans.wrong(), plans.untold()), (Vec::new(), Vec::new()));
    }

    #[test]
    fn two_plans_are_told_with_how_many_obey_each() {
        let replicas = vec![replica("erp-sync", "one"), replica("crm-sync", "two"), replica("alerter", "one")];
        let plans = Plans { replicas, ..Plans::default() };
        assert_eq!(plans.wrong(), ["replicas obey different plans: one (2), two (1)"]);
    }

    #[test]
    fn who_refuses_is_told_though_all_obey_one_plan() {
        let refusing = Replica { problem: "WB-P003 line 4\nWB-P004 line 5".to_owned(), ..replica("erp-sync", "one") };
        let plans = Plans { replicas: vec![refusing], ..Plans::default() };
        assert_eq!(plans.wrong(), ["erp-sync host-1 refuses the changed file: WB-P003 line 4"]);
    }

    #[test]
    fn who_is_silent_does_not_agree() {
        let plans = Plans { replicas: vec![replica("erp-sync", "one")], unheard: vec!["crm-sync".to_owned()] };
        assert_eq!(plans.untold(), ["no replica of crm-sync has said for a minute which plan it obeys"]);
        assert_eq!(Plans::default().untold(), ["no replica has said which plan it obeys"]);
    }
}
