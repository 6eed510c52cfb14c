//! Which plan this process obeys, and what it says of it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use prost::Message as _;
use waybill_bus::{Bus, subjects};
use waybill_proto::{convert::to_timestamp, wire::PlanReport};
use waybill_runtime::Tasks;

/// So many lines of a refusal are said, and so many characters of each: it goes on pages. `waybill plan check` has the
/// rest.
const LINES: usize = 5;
const LINE_CHARS: usize = 300;
/// Names in a plan have at most 32 characters, tokens hardly ever less.
const NAME_CHARS: usize = 31;
/// How often it is said which plan is obeyed.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// This process among all that run: the host's name and the process's number there.
pub(super) fn replica() -> String {
    format!("{}-{}", rustix::system::uname().nodename().to_string_lossy(), std::process::id())
}

/// Says again and again which plan is obeyed, in a task of its own: a road that is blocked must not keep a changed plan
/// from being read.
pub(super) fn say(tasks: &mut Tasks, service: &'static str, bus: Bus, obeyed: Arc<Mutex<Obeyed>>) {
    let replica = replica();
    tasks.repeat("plan report", SAY_EVERY, move || {
        let report = obeyed.lock().unwrap_or_else(PoisonError::into_inner).report(service, &replica);
        let bus = bus.clone();
        async move {
            // Kept for later it would be heard as if it were so then.
            if bus.connected() {
                bus.announce(subjects::plan_report(service), report.encode_to_vec().into()).await?;
            }
            Ok(())
        }
    });
}

/// The plan in force, and why the file that was looked at last is not.
#[derive(Debug, Clone)]
pub(super) struct Obeyed {
    hash: String,
    since: Timestamp,
    refusal: Option<(String, Timestamp)>,
}

impl Obeyed {
    pub(super) fn new(hash: &str, now: Timestamp) -> Self {
        Self { hash: hash.to_owned(), since: now, refusal: None }
    }

    /// The file passes, and is obeyed from now on if it has changed.
    pub(super) fn passed(&mut self, hash: &str, now: Timestamp) {
        if self.hash != hash {
            *self = Self::new(hash, now);
        }
        self.refusal = None;
    }

    /// The file does not pass; the plan stays as it is.
    pub(super) fn refused(&mut self, problem: &str, now: Timestamp) {
        let since = self.refusal.as_ref().map_or(now, |(_, since)| *since);
        self.refusal = Some((said(problem), since));
    }

    /// What is announced.
    pub(super) fn report(&self, service: &str, replica: &str) -> PlanReport {
        PlanReport {
            service: service.to_owned(),
            replica: replica.to_owned(),
            plan_hash: self.hash.clone(),
            obeyed_since: Some(to_timestamp(self.since)),
            problem: self.refusal.as_ref().map(|(text, _)| text.clone()).unwrap_or_default(),
            refused_since: self.refusal.as_ref().map(|(_, since)| to_timestamp(*since)),
        }
    }
}

/// The first lines of a refusal, without what the file holds: somebody may have written a secret into it.
fn said(problem: &str) -> String {
    let lines: Vec<&str> = problem.lines().filter(|line| !line.trim().is_empty() && !is_excerpt(line)).collect();
    let short = |line: &&str| without_values(line).chars().take(LINE_CHARS).collect::<String>();
    let mut said: Vec<String> = lines.iter().take(LINES).map(short).collect();
    if lines.len() > LINES {
        said.push(format!("and {} more", lines.len() - LINES));
    }
    said.join("\n")
}

/// Whether a line shows the file: `12 | token = "…"`, and the caret's line below.
fn is_excerpt(line: &str) -> bool {
    line.trim_start().trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start().starts_with('|')
}

/// A line in which no value stands: what is in double quotes (names are in single ones), and what is too long for a
/// name.
fn without_values(line: &str) -> String {
    let letters: Vec<char> = line.chars().collect();
    let is_word = |at: usize| letters.get(at).is_some_and(|letter| letter.is_alphanumeric());
    let mut out = String::new();
    let mut at = 0;
    while at < letters.len() {
        let quote = letters[at];
        out.push(quote);
        at += 1;
        // Not the apostrophe of "the file's".
        if !matches!(quote, '"' | '\'' | '`') || (quote == '\'' && at >= 2 && is_word(at - 2)) {
            continue;
        }
        let closing = (at..letters.len()).find(|end| letters[*end] == quote && !is_word(end + 1));
        let end = closing.unwrap_or(letters.len());
        if quote == '"' || end - at > NAME_CHARS {
            out.push('…');
        } else {
            out.extend(&letters[at..end]);
        }
        if closing.is_some() {
            out.push(quote);
        }
        at = end + 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use waybill_proto::convert::to_timestamp;

    use super::{Obeyed, said};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn a_plan_is_obeyed_since_it_was_first_read() {
        let mut obeyed = Obeyed::new("one", at(0));
        obeyed.passed("one", at(5));
        assert_eq!(obeyed.report("erp-sync", "host-1").obeyed_since, Some(to_timestamp(at(0))));
        obeyed.passed("two", at(10));
        obeyed.passed("two", at(15));
        let report = obeyed.report("erp-sync", "host-1");
        assert_eq!((report.plan_hash.as_str(), report.obeyed_since), ("two", Some(to_timestamp(at(10)))));
    }

    #[test]
    fn a_refusal_lasts_from_the_first_file_that_did_not_pass_until_one_does() {
        let mut obeyed = Obeyed::new("one", at(0));
        obeyed.refused("a", at(5));
        obeyed.refused("b", at(10));
        let report = obeyed.report("erp-sync", "host-1");
        assert_eq!((report.plan_hash.as_str(), report.problem.as_str()), ("one", "b"));
        assert_eq!(report.refused_since, Some(to_timestamp(at(5))));
        // The file is as it was before.
        obeyed.passed("one", at(15));
        let report = obeyed.report("erp-sync", "host-1");
        assert_eq!((report.problem.as_str(), report.refused_since), ("", None));
        assert_eq!(report.obeyed_since, Some(to_timestamp(at(0))));
    }

    #[test]
    fn a_refusal_does_not_show_the_file() {
        let text = "the plan's file: TOML parse error at line 3, column 9\n  |\n3 | token = hunter2\n  |         ^^^^^^^\n\
                    invalid type: string \"hunter2\", expected a table\n\
                    there is no system 'epr'; the store's are 'erp', 'crm'\n\
                    '0123456789abcdef0123456789abcdef' is none of the words for this\n";
        let told = said(text);
        assert!(!told.contains("hunter2") && !told.contains("0123456789abcdef"), "{told}");
        for kept in
            ["at line 3, column 9", "expected a table", "'epr'; the store's are 'erp', 'crm'", "none of the words"]
        {
            assert!(told.contains(kept), "{kept} in {told}");
        }
    }

    #[test]
    fn a_long_refusal_is_cut_and_says_so() {
        let told = said(&vec!["x".repeat(1000); 9].join("\n"));
        assert_eq!(told.lines().count(), 6);
        assert!(told.lines().all(|line| line.chars().count() <= 300), "{told}");
        assert!(told.ends_with("and 4 more"), "{told}");
    }
}
