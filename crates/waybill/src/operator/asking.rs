//! A first run that asks, answered on the terminal where `waybill up` runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufRead as _, Write},
    thread,
    time::Duration,
};

use console::services::{Services, Who};
use tokio::{sync::mpsc, time};
use tokio_util::sync::CancellationToken;
use waybill_proto::wire::system_report::Condition;

use super::{actor, table::plain, terminal::is_yes};

/// How often systems are looked at.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Kept with who and when.
const REASON: &str = "answered where waybill up runs";

/// The lines that a person types, until there are no more.
pub(crate) fn typed() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    // Not a task: one that reads a terminal would keep the process from ending.
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Asks about each system that begins to ask, and releases it if a person agrees; until it is told to stop or nobody is
/// there any more.
///
/// # Errors
/// If the terminal cannot be written.
pub(crate) async fn ask(
    services: Services,
    mut typed: mpsc::Receiver<String>,
    mut out: impl Write,
    every: Duration,
    stop: CancellationToken,
) -> io::Result<()> {
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut looks = time::interval(every);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = looks.tick() => {}
        }
        let asking = asking(&services).await;
        asked.retain(|system| asking.contains_key(system));
        for (system, message) in asking {
            if asked.contains(&system) {
                continue;
            }
            // What was typed before the question is no answer to it.
            while typed.try_recv().is_ok() {}
            write!(out, "\n{} {}\nlet them go? [y/N] ", plain(&system), plain(&message))?;
            out.flush()?;
            let answer = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                answer = typed.recv() => answer,
            };
            let Some(answer) = answer else { return Ok(()) };
            if is_yes(&answer) {
                let who = Who { actor: actor(), reason: REASON.to_owned() };
                let released = services.release(&system, who).await;
                let silent: Vec<String> = released.unanswered.iter().map(ToString::to_string).collect();
                match (released.found.is_empty(), silent.is_empty()) {
                    (_, false) => writeln!(out, "not everywhere: {}", plain(&silent.join("; ")))?,
                    (true, true) => writeln!(out, "nobody serves it any more")?,
                    (false, true) => writeln!(out, "they go")?,
                }
            } else {
                writeln!(out, "they wait; `waybill release {}` lets them go", plain(&system))?;
            }
            out.flush()?;
            asked.insert(system);
        }
    }
}

/// Systems that ask, with what they say. A service that does not answer asks later.
async fn asking(services: &Services) -> BTreeMap<String, String> {
    let reports = services.systems().await.found.into_iter().flat_map(|(_, reports)| reports);
    reports
        .filter(|report| report.condition() == Condition::Asking)
        .map(|report| (report.system, report.message))
        .collect()
}
