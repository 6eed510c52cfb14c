//! Reading a recorded day.

use std::io::BufRead;

use serde::Deserialize;
use thiserror::Error;

use super::{FORMAT, Line};

/// A line that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct ReadError {
    /// Which, from 1.
    pub line: usize,
    /// What is wrong with it and what to do.
    pub problem: String,
}

/// Reads a recorded day line by line. The first line is its [`Line::Day`]; where it is not, or of a format that this
/// version does not know, nothing follows the error. After a broken line the next ones are read.
pub fn read<R: BufRead>(from: R) -> Lines<R> {
    Lines { from, line: 0, text: Vec::new(), begun: false, ended: false }
}

/// The lines of a recorded day.
#[derive(Debug)]
pub struct Lines<R> {
    from: R,
    line: usize,
    text: Vec<u8>,
    begun: bool,
    ended: bool,
}

/// As much of the first line as tells whether the rest of it can be read.
#[derive(Deserialize)]
struct Head {
    day: HeadDay,
}

#[derive(Deserialize)]
struct HeadDay {
    format: u32,
    #[serde(default)]
    waybill: String,
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Line, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            self.text.clear();
            match self.from.read_until(b'\n', &mut self.text) {
                Ok(0) => {
                    self.ended = true;
                    return (!self.begun).then(|| self.problem("the file is empty: `waybill export` writes one"));
                }
                Ok(_) => {}
                Err(error) => {
                    self.ended = true;
                    self.line += 1;
                    return Some(self.problem(format!("cannot be read: {error}")));
                }
            }
            self.line += 1;
            if self.text.trim_ascii().is_empty() {
                continue;
            }
            if !self.begun {
                self.begun = true;
                return Some(self.first().inspect_err(|_| self.ended = true));
            }
            return Some(self.later());
        }
        None
    }
}

impl<R> Lines<R> {
    fn problem<T>(&self, problem: impl Into<String>) -> Result<T, ReadError> {
        Err(ReadError { line: self.line.max(1), problem: problem.into() })
    }

    fn first(&self) -> Result<Line, ReadError> {
        let Ok(Head { day }) = serde_json::from_slice(&self.text) else {
            return self.problem(
                "this is no recorded day: its first line has to be {\"day\": …}; `waybill export` writes such files",
            );
        };
        if day.format != FORMAT {
            return self.problem(format!(
                "the file has format {}, and this version reads {FORMAT}: use the version that wrote it{}, or export \
                 the day again",
                day.format,
                if day.waybill.is_empty() { String::new() } else { format!(" ({})", day.waybill) },
            ));
        }
        self.parse()
    }

    fn later(&self) -> Result<Line, ReadError> {
        match self.parse()? {
            Line::Day(_) => self.problem("a second day begins here: give each day a file of its own"),
            line => Ok(line),
        }
    }

    fn parse(&self) -> Result<Line, ReadError> {
        serde_json::from_slice(&self.text).or_else(|error| {
            let what = match error.classify() {
                serde_json::error::Category::Eof => "the line is cut off; export the day again",
                serde_json::error::Category::Syntax => "the line is no JSON; export the day again",
                serde_json::error::Category::Data | serde_json::error::Category::Io => {
                    "this is neither a snapshot nor a decision of this version; export the day again with it"
                }
            };
            // Each line is a text of its own to the parser: its "line 1" would mislead.
            let said = error.to_string();
            let said = said.split(" at line ").next().unwrap_or_default();
            self.problem(format!("{what} ({said}, at character {})", error.column()))
        })
    }
}
