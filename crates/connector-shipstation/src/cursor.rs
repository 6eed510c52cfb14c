//! Where the parcels go on.
//!
//! The API lists labels by when they were made, not by when they changed, and shows no time of change. So one sweep has
//! two parts: labels made since the last sweep, and labels voided since then among those young enough to be voided.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};

use crate::{client::LabelQuery, times::instant, wire::Label};

/// How far a sweep looks back behind the newest label it has seen: rows may become visible late.
pub(crate) const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// How long a label can be voided. Carriers allow at most 30 days (USPS); one more for time zones.
pub(crate) const VOID_WINDOW: SignedDuration = SignedDuration::from_hours(31 * 24);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Created,
    Voided,
}

/// A place in a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Labels made before this have been told.
    created_from: Timestamp,
    /// Labels voided before this have been told.
    voided_from: Timestamp,
    part: Part,
    page: u32,
    /// The newest label of this sweep.
    newest: Option<Timestamp>,
    /// The latest void of this sweep.
    latest_void: Option<Timestamp>,
    /// The oldest label of this sweep that is not finished: the next sweep begins with it.
    unfinished: Option<Timestamp>,
}

impl Cursor {
    /// The beginning.
    pub(crate) fn new(since: Timestamp) -> Self {
        Self {
            created_from: since,
            voided_from: since,
            part: Part::Created,
            page: 1,
            newest: None,
            latest_void: None,
            unfinished: None,
        }
    }

    /// What to ask for.
    pub(crate) fn query(&self, page_size: u32) -> LabelQuery {
        let created_from = match self.part {
            Part::Created => self.created_from,
            Part::Voided => self.voided_from.checked_sub(VOID_WINDOW).unwrap_or(Timestamp::MIN),
        };
        LabelQuery { created_from, voided_only: self.part == Part::Voided, page: self.page, page_size }
    }

    /// Takes note of a label of the page asked for; true if it is to be told.
    ///
    /// # Errors
    /// What cannot be read.
    pub(crate) fn sees(&mut self, label: &Label) -> Result<bool, String> {
        let voided_at = match label.voided_at.as_deref() {
            Some(text) => Some(instant(text).ok_or("a label's voided_at is no time")?),
            None => None,
        };
        if self.part == Part::Voided {
            let news = voided_at.is_none_or(|at| at >= self.voided_from);
            self.latest_void = self.latest_void.max(voided_at);
            return Ok(news && is_outbound(label));
        }
        let created_at = instant(&label.created_at).ok_or("a label's created_at is no time")?;
        self.newest = self.newest.max(Some(created_at));
        match label.status.as_str() {
            "processing" => {
                self.unfinished = Some(self.unfinished.map_or(created_at, |oldest| oldest.min(created_at)));
                Ok(false)
            }
            "error" => Ok(false),
            _ => Ok(is_outbound(label)),
        }
    }

    /// The place after a page; true if there is more right now.
    pub(crate) fn next(mut self, page: u32, pages: u32) -> (Self, bool) {
        if page < pages {
            self.page = self.page.saturating_add(1);
            return (self, true);
        }
        if self.part == Part::Created {
            self.part = Part::Voided;
            self.page = 1;
            return (self, true);
        }
        let behind = |at: Option<Timestamp>| at.and_then(|at| at.checked_sub(OVERLAP).ok());
        let created = match (behind(self.newest), self.unfinished) {
            (Some(newest), Some(unfinished)) => Some(newest.min(unfinished)),
            (newest, _) => newest,
        };
        let mut next = Self::new(self.created_from.max(created.unwrap_or(Timestamp::MIN)));
        next.voided_from = self.voided_from.max(behind(self.latest_void).unwrap_or(Timestamp::MIN));
        (next, false)
    }
}

fn is_outbound(label: &Label) -> bool {
    label.is_return_label != Some(true)
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.part {
            Part::Created => "created",
            Part::Voided => "voided",
        };
        write!(f, "{} {} {part} {}", self.created_from, self.voided_from, self.page)?;
        for at in [self.newest, self.latest_void, self.unfinished] {
            match at {
                Some(at) => write!(f, " {at}")?,
                None => f.write_str(" -")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unreadable = || format!("'{text}' is no cursor of ShipStation's parcels");
        let words: Vec<_> = text.split(' ').collect();
        let [created_from, voided_from, part, page, newest, latest_void, unfinished] = words[..] else {
            return Err(unreadable());
        };
        let time = |text: &str| text.parse::<Timestamp>().map_err(|_| unreadable());
        let maybe = |text: &str| {
            if text == "-" { Ok(None) } else { time(text).map(Some) }
        };
        Ok(Self {
            created_from: time(created_from)?,
            voided_from: time(voided_from)?,
            part: match part {
                "created" => Part::Created,
                "voided" => Part::Voided,
                _ => return Err(unreadable()),
            },
            page: page.parse().map_err(|_| unreadable())?,
            newest: maybe(newest)?,
            latest_void: maybe(latest_void)?,
            unfinished: maybe(unfinished)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::Cursor;
    use crate::wire::Label;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn label(status: &str, created_at: &str, voided_at: Option<&str>) -> Label {
        Label {
            label_id: "se-1".to_owned(),
            status: status.to_owned(),
            shipment_id: "se-2".to_owned(),
            created_at: created_at.to_owned(),
            voided_at: voided_at.map(str::to_owned),
            ..Label::default()
        }
    }

    /// A whole sweep over one page of each part.
    fn sweep(mut cursor: Cursor, created: &[Label], voided: &[Label]) -> (Cursor, Vec<bool>) {
        let mut told: Vec<_> = created.iter().map(|label| cursor.sees(label).unwrap()).collect();
        (cursor, _) = cursor.next(1, 1);
        told.extend(voided.iter().map(|label| cursor.sees(label).unwrap()));
        let (cursor, more) = cursor.next(1, 1);
        assert!(!more);
        (cursor, told)
    }

    #[test]
    fn a_cursor_survives_as_text_in_the_middle_of_a_sweep() {
        let mut cursor = Cursor::new(at("2026-11-01T00:00:00Z"));
        cursor.sees(&label("processing", "2026-11-02T08:00:00.123Z", None)).unwrap();
        let (cursor, more) = cursor.next(1, 3);
        assert!(more);
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert!("nonsense".parse::<Cursor>().is_err());
    }

    #[test]
    fn the_next_sweep_overlaps_the_last() {
        let start = Cursor::new(at("2026-11-01T00:00:00Z"));
        let (next, told) = sweep(start, &[label("completed", "2026-11-02T08:00:00Z", None)], &[]);
        assert_eq!(told, [true]);
        assert_eq!(next.query(50).created_from, at("2026-11-02T07:50:00Z"));
    }

    #[test]
    fn a_sweep_without_news_ends_where_it_began() {
        let start = Cursor::new(at("2026-11-01T00:00:00Z"));
        let (next, _) = sweep(start, &[], &[]);
        assert_eq!(next, start);
    }

    #[test]
    fn a_label_in_the_making_is_waited_for() {
        let start = Cursor::new(at("2026-11-01T00:00:00Z"));
        let labels =
            [label("processing", "2026-11-02T06:00:00Z", None), label("completed", "2026-11-02T08:00:00Z", None)];
        let (next, told) = sweep(start, &labels, &[]);
        assert_eq!(told, [false, true]);
        assert_eq!(next.query(50).created_from, at("2026-11-02T06:00:00Z"));
    }

    #[test]
    fn a_void_is_looked_for_among_labels_of_a_month() {
        let start = Cursor::new(at("2026-11-01T00:00:00Z"));
        let (mut voided, _) = start.next(1, 1);
        assert_eq!(voided.query(50).created_from, at("2026-10-01T00:00:00Z"));
        assert!(voided.query(50).voided_only);
        let old = label("voided", "2026-10-05T00:00:00Z", Some("2026-10-06T00:00:00Z"));
        let new = label("voided", "2026-10-05T00:00:00Z", Some("2026-11-03T00:00:00Z"));
        assert_eq!((voided.sees(&old), voided.sees(&new)), (Ok(false), Ok(true)));
    }

    #[test]
    fn a_return_label_is_no_parcel_to_the_buyer() {
        let mut cursor = Cursor::new(at("2026-11-01T00:00:00Z"));
        let mut returned = label("completed", "2026-11-02T08:00:00Z", None);
        returned.is_return_label = Some(true);
        assert_eq!(cursor.sees(&returned), Ok(false));
    }
}
