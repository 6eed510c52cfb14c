//! A span of time that is listed page by page.

use jiff::Timestamp;
use tonic::Status;
use waybill_proto::convert::from_timestamp;

/// What a page of a span is to hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// From this instant on …
    pub(crate) from: Timestamp,
    /// … to before this one.
    pub(crate) to: Timestamp,
    /// After this place: a time, and a row of it.
    pub(crate) after: (Timestamp, i64),
    /// At most so many.
    pub(crate) limit: usize,
}

impl Window {
    /// Reads what was asked for. No limit means `most`.
    pub(crate) fn read(
        from: Option<prost_types::Timestamp>,
        to: Option<prost_types::Timestamp>,
        after: &str,
        limit: i32,
        most: usize,
    ) -> Result<Self, Status> {
        let instant = |name: &'static str, time: Option<prost_types::Timestamp>| {
            let time = time.ok_or_else(|| Status::invalid_argument(format!("'{name}' is missing")))?;
            from_timestamp(name, &time).map_err(|error| Status::invalid_argument(error.to_string()))
        };
        let limit = usize::try_from(limit).ok().filter(|limit| (1..=most).contains(limit)).unwrap_or(most);
        // PostgreSQL reads no years before Christ as jiff writes them; nothing was recorded then.
        let from = instant("from", from)?.max(Timestamp::UNIX_EPOCH);
        let to = instant("to", to)?.max(Timestamp::UNIX_EPOCH);
        Ok(Self { from, to, after: place(after)?, limit })
    }

    /// One more than asked for, which tells whether there is one.
    pub(crate) fn one_more(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX - 1) + 1
    }
}

/// A place as its reader keeps it.
pub(crate) fn cursor(at_us: i64, row: i64) -> String {
    format!("{at_us}/{row}")
}

fn place(text: &str) -> Result<(Timestamp, i64), Status> {
    if text.is_empty() {
        return Ok((Timestamp::UNIX_EPOCH, 0));
    }
    text.split_once('/')
        .and_then(|(at_us, row)| Some((Timestamp::from_microsecond(at_us.parse().ok()?).ok()?, row.parse().ok()?)))
        .ok_or_else(|| Status::invalid_argument("'after' is no cursor: send one that was given, or nothing"))
}
