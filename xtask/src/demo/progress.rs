//! What a person sees while the day flows: a table on a terminal, plain lines elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use super::figures::Figures;

/// Moves to the top left and clears the screen.
const CLEAR: &str = "\x1b[H\x1b[2J";

#[derive(Debug)]
pub(super) struct Progress {
    console: String,
    live: bool,
    start: Instant,
    last: Option<Figures>,
}

impl Progress {
    pub(super) fn new(console: String) -> Self {
        Self {
            console,
            live: std::io::stdout().is_terminal(),
            start: Instant::now(),
            last: None,
        }
    }

    /// Shows the figures; whether they differ from the last ones. Without a terminal only
    /// differences are worth a line.
    pub(super) fn show(&mut self, figures: &Figures) -> bool {
        let changed = self.last.as_ref() != Some(figures);
        if self.live || changed {
            let text = self.text(figures);
            let mut out = std::io::stdout();
            // A reader that went away, as after `| head`, is no reason to end the day.
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
        self.last = Some(figures.clone());
        changed
    }

    fn text(&self, figures: &Figures) -> String {
        let seconds = self.start.elapsed().as_secs();
        if !self.live {
            return format!("{seconds:>5} s  {}\n", figures.line());
        }
        let rows = figures.line().replace(", ", "\n  ");
        format!(
            "{CLEAR}Waybill, {seconds} s\n\n  {rows}\n\nconsole: {}\nCtrl-C ends the day\n",
            self.console
        )
    }
}
