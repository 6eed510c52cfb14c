//! Where answers and problems go, and how times and causes read there.

use std::io::{self, BufRead, Write};

use console::{services::Unanswered, words};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::table::plain;

/// A person's terminal, or whatever reads the answers.
pub(super) struct Terminal<'a> {
    pub(super) out: &'a mut dyn Write,
    pub(super) err: &'a mut dyn Write,
    pub(super) now: Timestamp,
    pub(super) zone: TimeZone,
    /// Where a person answers; none if nobody is there.
    pub(super) answers: Option<&'a mut dyn BufRead>,
}

impl Terminal<'_> {
    /// A time on the wall and from now; nothing for none.
    pub(super) fn time(&self, time: Option<Timestamp>) -> String {
        time.map(|time| format!("{} ({})", words::local(time, &self.zone), words::relative(time, self.now)))
            .unwrap_or_default()
    }

    /// A time from now; nothing for none.
    pub(super) fn since(&self, time: Option<Timestamp>) -> String {
        time.map(|time| words::relative(time, self.now)).unwrap_or_default()
    }

    /// A line of text from elsewhere, made harmless.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", plain(text))
    }

    /// An empty line.
    pub(super) fn gap(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// What a cause means and what to do.
    pub(super) fn explain(&mut self, meaning: &str, action: &str, indent: &str) -> io::Result<()> {
        writeln!(self.out, "{indent}means: {}", plain(meaning))?;
        writeln!(self.out, "{indent}do:    {}", plain(action))
    }

    /// One JSON value, for programs.
    pub(super) fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer_pretty(&mut self.out, value)?;
        writeln!(self.out)?;
        Ok(())
    }

    /// A problem, for the person.
    pub(super) fn problem(&mut self, problem: impl std::fmt::Display) -> io::Result<()> {
        writeln!(self.err, "{}", plain(&problem.to_string()))
    }

    /// Asks a question. Without a person, and without a yes, it is a no.
    pub(super) fn confirm(&mut self, question: &str) -> io::Result<bool> {
        let Some(answers) = &mut self.answers else { return Ok(false) };
        write!(self.err, "{} [y/N] ", plain(question))?;
        self.err.flush()?;
        let mut answer = String::new();
        answers.read_line(&mut answer)?;
        Ok(is_yes(&answer))
    }

    /// How far something has come, for a person who watches; each word takes the place of the one before.
    pub(super) fn progress(&mut self, word: &str) -> io::Result<()> {
        if self.answers.is_some() {
            write!(self.err, "\r{}", plain(word))?;
            self.err.flush()?;
        }
        Ok(())
    }

    /// Ends the line of progress.
    pub(super) fn progress_ends(&mut self) -> io::Result<()> {
        if self.answers.is_some() { writeln!(self.err) } else { Ok(()) }
    }

    /// Names who could not be asked. Whether anybody is named.
    pub(super) fn unanswered(&mut self, unanswered: &[Unanswered]) -> io::Result<bool> {
        for one in unanswered {
            self.problem(one)?;
        }
        Ok(!unanswered.is_empty())
    }
}

/// Whether an answer agrees.
pub(super) fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
