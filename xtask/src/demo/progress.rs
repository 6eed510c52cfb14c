//! What a person sees while the day flows: a table on a terminal, plain lines elsewhere.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use super::accounting::{self, Line};
use super::watch::View;

/// Moves to the top left and clears the screen.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// So many parked records fit below the table.
const PARKED_SHOWN: usize = 12;

/// A vendor's reason is cut here, so that a row stays a row.
const REASON_CHARACTERS: usize = 90;

#[derive(Debug)]
pub(crate) struct Progress {
    /// Shown above everything else: where the console is, and what to try.
    heading: String,
    live: bool,
    start: Instant,
    last: Option<String>,
}

impl Progress {
    pub(crate) fn new(heading: String) -> Self {
        let live = std::io::stdout().is_terminal();
        let progress = Self { heading, live, start: Instant::now(), last: None };
        if !live {
            print(&progress.heading);
        }
        progress
    }

    /// Shows how things stand. Without a terminal only what differs from before is worth a line.
    pub(crate) fn show(&mut self, view: &View, open: &[String]) {
        let seconds = self.start.elapsed().as_secs();
        let text = if self.live { self.table(view, open) } else { line(view) };
        if !self.live && self.last.as_ref() == Some(&text) {
            return;
        }
        print(&if self.live { text.clone() } else { format!("{seconds:>5} s  {text}\n") });
        self.last = Some(text);
    }

    fn table(&self, view: &View, open: &[String]) -> String {
        let lines = view.status.accounting.as_deref().unwrap_or_default();
        let mut text =
            format!("{CLEAR}Waybill, {} s\n{}\n{}\n\n", self.start.elapsed().as_secs(), self.heading, day(view));
        let headings = ["accepted", "applied", "superseded", "ignored", "parked", "in flight", "gap"];
        let _ = write!(text, "{:24}", "");
        for heading in headings {
            let _ = write!(text, "{heading:>11}");
        }
        text.push('\n');
        for line in lines.iter().filter(|line| line.accepted > 0) {
            row(&mut text, &format!("{} to {}", line.kind, line.system), line);
        }
        row(&mut text, "all", &accounting::sum(lines));
        let parked = view.parked.as_deref().unwrap_or_default();
        if !parked.is_empty() {
            text.push_str("\nparked\n");
        }
        for one in parked.iter().take(PARKED_SHOWN) {
            let reason: String = one.message.chars().filter(|c| !c.is_control()).take(REASON_CHARACTERS).collect();
            let _ = writeln!(text, "  {} {} for {}: {}: {reason}", one.kind, one.name, one.system, one.code);
        }
        if parked.len() > PARKED_SHOWN {
            let _ = writeln!(text, "  and {} more", parked.len() - PARKED_SHOWN);
        }
        if open.is_empty() {
            text.push_str("\nThe day is settled: everything is accounted for.\n");
        }
        text.push_str("\nCtrl-C ends the demo.\n");
        text
    }
}

fn row(text: &mut String, name: &str, line: &Line) {
    let _ = write!(text, "{name:24}");
    for count in [line.accepted, line.applied, line.superseded, line.ignored, line.parked, line.in_flight, line.gap] {
        let _ = write!(text, "{count:>11}");
    }
    text.push('\n');
}

fn day(view: &View) -> String {
    let day = &view.day;
    format!(
        "{}: {} of {} orders, {} customers; {} of {} shipped; {} webhooks",
        day.day, day.orders_placed, day.orders_planned, day.customers, day.shipped, day.to_ship, day.webhooks.delivered
    )
}

fn line(view: &View) -> String {
    let Some(lines) = &view.status.accounting else {
        return format!("{}; the accounting is not known", day(view));
    };
    let sum = accounting::sum(lines);
    format!(
        "{}; accepted {} = applied {} + superseded {} + ignored {} + parked {} + in flight {}, gap {}",
        day(view),
        sum.accepted,
        sum.applied,
        sum.superseded,
        sum.ignored,
        sum.parked,
        sum.in_flight,
        sum.gap
    )
}

/// A reader that went away, as after `| head`, is no reason to end the day.
fn print(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
