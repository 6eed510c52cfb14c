//! Whether all is well, in one look.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use waybill_proto::wire::{
    AccountingLine, Incident, SystemReport, inbox_count_response::Count, system_report::Condition,
};

use super::{INBOX, Problem, Services, Unanswered, WATCH};
use crate::words;

/// What all services say of themselves.
#[derive(Debug, Clone)]
pub struct Overview {
    /// The accounting lines; the watch's.
    pub accounting: Result<Vec<AccountingLine>, Unanswered>,
    /// Open incidents; the watch's.
    pub incidents: Result<Vec<Incident>, Unanswered>,
    /// From a delivery's parking to the first pager's acceptance, the slowest so far, in milliseconds, if any.
    pub slowest_page_ms: Option<i64>,
    /// Each system's condition.
    pub systems: Vec<SystemHealth>,
    /// How many webhooks came to what; shopify-ingest's.
    pub webhooks: Result<Vec<Count>, Unanswered>,
    /// Each service that should be asked.
    pub services: Vec<ServiceHealth>,
    /// Services that the watch could not ask: their terms are missing in the accounting lines.
    pub unheard: Vec<String>,
}

/// Whether a service can be asked.
#[derive(Debug, Clone)]
pub struct ServiceHealth {
    /// Its name.
    pub name: String,
    /// Where it was looked for; empty if no address is set.
    pub url: String,
    /// Why it gave no answer.
    pub problem: Option<Problem>,
}

/// A system's condition as one service sees it.
#[derive(Debug, Clone)]
pub struct SystemHealth {
    /// The system.
    pub system: String,
    /// Who says so; empty if nobody does.
    pub service: String,
    /// The condition.
    pub condition: Condition,
    /// In the service's words.
    pub message: String,
    /// Since when, or when it was last looked at.
    pub at: Option<Timestamp>,
}

/// All in one word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything could be asked and nothing is wrong. Of all: every service answers, every line closes, nothing is
    /// parked, no incident is open, every system serves.
    Well,
    /// Something is wrong, whatever else could not be asked. A line each.
    NotWell(Vec<String>),
    /// Nothing is known to be wrong, but not everything could be asked. A line each.
    CannotTell(Vec<String>),
}

impl Verdict {
    /// What follows from what is wrong and what is not known.
    pub fn of(wrong: Vec<String>, untold: Vec<String>) -> Self {
        match (wrong.is_empty(), untold.is_empty()) {
            (false, _) => Self::NotWell(wrong),
            (true, false) => Self::CannotTell(untold),
            (true, true) => Self::Well,
        }
    }
}

impl Services {
    /// Asks everyone.
    pub async fn overview(&self) -> Overview {
        let (accounting, incidents, systems, webhooks) =
            tokio::join!(self.accounting(), self.incidents(false), self.systems(), self.webhook_counts());
        let mut problems: BTreeMap<String, Unanswered> = BTreeMap::new();
        let errors = [accounting.as_ref().err(), incidents.as_ref().err(), webhooks.as_ref().err()];
        for unanswered in errors.into_iter().flatten().chain(&systems.unanswered) {
            problems.entry(unanswered.service.clone()).or_insert_with(|| unanswered.clone());
        }
        let (lines, unheard) = match accounting {
            Ok(answer) => (Ok(answer.lines), answer.unreachable),
            Err(unanswered) => (Err(unanswered), Vec::new()),
        };
        let slowest_page_ms = incidents.as_ref().ok().and_then(|answer| answer.slowest_page_ms);
        let reports = systems.found.into_iter().flat_map(|(_, reports)| reports).collect();
        Overview {
            systems: system_health(reports, lines.as_deref().unwrap_or_default()),
            accounting: lines,
            incidents: incidents.map(|answer| answer.incidents.into_iter().filter(super::is_open).collect()),
            slowest_page_ms,
            webhooks,
            services: self.health(&problems),
            unheard,
        }
    }

    fn health(&self, problems: &BTreeMap<String, Unanswered>) -> Vec<ServiceHealth> {
        let needed = [WATCH, INBOX].map(str::to_owned);
        let names: BTreeSet<String> = self.peers.keys().cloned().chain(needed).collect();
        names
            .into_iter()
            .map(|name| ServiceHealth {
                url: self.peers.get(&name).map(|peer| peer.url.clone()).unwrap_or_default(),
                problem: problems.get(&name).map(|unanswered| unanswered.problem.clone()),
                name,
            })
            .collect()
    }
}

/// The reports, and a line for each system of the accounting that nobody reports: an unserved system must not look
/// as if it were not there.
fn system_health(reports: Vec<SystemReport>, lines: &[AccountingLine]) -> Vec<SystemHealth> {
    let mut systems: Vec<SystemHealth> = reports
        .into_iter()
        .map(|report| SystemHealth {
            condition: report.condition(),
            at: words::instant(report.at),
            system: report.system,
            service: report.service,
            message: report.message,
        })
        .collect();
    let unreported: BTreeSet<&str> = lines
        .iter()
        .map(|line| line.system.as_str())
        .filter(|system| !systems.iter().any(|health| health.system == *system))
        .collect();
    let unreported: Vec<SystemHealth> = unreported
        .into_iter()
        .map(|system| SystemHealth {
            system: system.to_owned(),
            service: String::new(),
            condition: Condition::Unspecified,
            message: "no service that could be asked serves it".to_owned(),
            at: None,
        })
        .collect();
    systems.extend(unreported);
    systems.sort_by(|a, b| (&a.system, &a.service).cmp(&(&b.system, &b.service)));
    systems
}

impl Overview {
    /// All in one word, with the reasons.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self.wrong(), self.untold())
    }

    /// Services that gave no answer.
    pub fn unanswered(&self) -> impl Iterator<Item = Unanswered> {
        self.services.iter().filter_map(|service| {
            let (service, url) = (service.clone(), service.url.clone());
            service.problem.map(|problem| Unanswered { service: service.name, url, problem })
        })
    }

    fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let lines = self.accounting.as_deref().unwrap_or_default();
        // While a service's terms are missing, its lines cannot close; that is silence, not loss.
        if self.unheard.is_empty() {
            for line in lines.iter().filter(|line| line.gap != 0) {
                let AccountingLine { store, kind, system, gap, .. } = line;
                wrong.push(format!("the accounting of {store} {kind} to {system} has a gap of {gap:+}"));
            }
        }
        let parked: i64 = lines.iter().map(|line| line.parked).sum();
        if parked > 0 {
            wrong.push(format!("{} parked", words::count(parked, "revision")));
        }
        let open = self.incidents.as_ref().map_or(0, Vec::len) as i64;
        if open > 0 {
            wrong.push(format!("{} open", words::count(open, "incident")));
        }
        for health in &self.systems {
            match health.condition {
                Condition::Unauthorized | Condition::Unavailable | Condition::Paused => {
                    wrong.push(format!("{} is {}", health.system, spoken(health.condition)));
                }
                Condition::Asking => wrong.push(format!("{} {}", health.system, health.message)),
                Condition::Serving | Condition::Unspecified => {}
            }
        }
        wrong.dedup();
        wrong
    }

    fn untold(&self) -> Vec<String> {
        let silent = self.unanswered().map(|unanswered| unanswered.to_string());
        let unheard = self.unheard.iter().map(|name| format!("{WATCH} cannot reach {name}"));
        silent.chain(unheard).collect()
    }
}

const fn spoken(condition: Condition) -> &'static str {
    match condition {
        Condition::Unauthorized => "refusing our credentials",
        other => words::condition(other),
    }
}

#[cfg(test)]
mod tests {
    use super::{AccountingLine, Condition, Overview, Problem, ServiceHealth, Unanswered, Verdict, WATCH};

    fn well() -> Overview {
        Overview {
            accounting: Ok(vec![AccountingLine { system: "erp".to_owned(), ..AccountingLine::default() }]),
            incidents: Ok(Vec::new()),
            slowest_page_ms: None,
            systems: Vec::new(),
            webhooks: Ok(Vec::new()),
            services: Vec::new(),
            unheard: Vec::new(),
        }
    }

    fn line(change: impl FnOnce(&mut AccountingLine)) -> AccountingLine {
        let mut line = AccountingLine { system: "erp".to_owned(), ..AccountingLine::default() };
        change(&mut line);
        line
    }

    #[test]
    fn nothing_wrong_and_everyone_asked_is_well() {
        assert_eq!(well().verdict(), Verdict::Well);
    }

    #[test]
    fn a_gap_is_not_well_in_either_direction() {
        for gap in [1, -1] {
            let overview = Overview { accounting: Ok(vec![line(|line| line.gap = gap)]), ..well() };
            assert!(matches!(overview.verdict(), Verdict::NotWell(_)), "{gap}");
        }
    }

    #[test]
    fn gaps_of_two_kinds_do_not_cancel_out() {
        let lines = vec![line(|line| line.gap = 1), line(|line| line.gap = -1)];
        let Verdict::NotWell(why) = (Overview { accounting: Ok(lines), ..well() }).verdict() else {
            panic!("a gap is not well");
        };
        assert_eq!(why.len(), 2);
    }

    #[test]
    fn a_service_that_does_not_answer_is_never_well() {
        let silent = ServiceHealth {
            name: "erp-sync".to_owned(),
            url: "http://127.0.0.1:1".to_owned(),
            problem: Some(Problem::Silent),
        };
        let overview = Overview { services: vec![silent], ..well() };
        let Verdict::CannotTell(why) = overview.verdict() else { panic!("nobody knows") };
        assert!(why[0].starts_with("erp-sync at http://127.0.0.1:1"), "{why:?}");
    }

    #[test]
    fn a_line_that_lacks_a_services_terms_cannot_be_told() {
        let overview = Overview {
            accounting: Ok(vec![line(|line| line.gap = 3)]),
            unheard: vec!["erp-sync".to_owned()],
            ..well()
        };
        assert_eq!(overview.verdict(), Verdict::CannotTell(vec![format!("{WATCH} cannot reach erp-sync")]));
    }

    #[test]
    fn a_silent_watch_is_not_read_as_nothing_parked() {
        let unanswered = Unanswered { service: WATCH.to_owned(), url: String::new(), problem: Problem::NoAddress };
        let service = ServiceHealth { name: WATCH.to_owned(), url: String::new(), problem: Some(Problem::NoAddress) };
        let overview = Overview {
            accounting: Err(unanswered.clone()),
            incidents: Err(unanswered),
            services: vec![service],
            ..well()
        };
        assert!(matches!(overview.verdict(), Verdict::CannotTell(_)));
    }

    #[test]
    fn a_system_that_nobody_reports_is_shown_as_unknown() {
        let systems = super::system_health(Vec::new(), &[line(|_| {})]);
        assert_eq!((systems[0].system.as_str(), systems[0].condition), ("erp", Condition::Unspecified));
    }
}
