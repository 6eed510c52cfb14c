//! `waybill export`: a recorded day as a file.

use std::{
    io::BufWriter,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::Context as _;
use clap::Args;
use console::{services::Unanswered, words};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::{CANNOT_TELL, NOT_WELL, WELL, Where, place::Place, terminal::Terminal};
use crate::{
    export::{self, Pseudonyms, Recording},
    layout,
};

/// What was seen and committed only now may not be there to be read yet.
const SETTLING: SignedDuration = SignedDuration::from_secs(5);

/// Which day, and where it goes.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Which day, in this machine's time zone: YYYY-MM-DD, or today, as far as it has come.
    #[arg(long, value_name = "DATE", default_value = "today")]
    day: Day,
    /// Instead of a day: from this instant on, such as 2026-11-21T09:00:00Z.
    #[arg(long, value_name = "TIME", conflicts_with = "day")]
    from: Option<Timestamp>,
    /// With --from: to before this instant. Without it: until now.
    #[arg(long, value_name = "TIME", requires = "from")]
    to: Option<Timestamp>,
    /// The file, or - for the standard output. Without it: `day-DATE.jsonl`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace names, e-mails, phones, streets, notes and tracking numbers by made-up ones, so that the day can be
    /// shared. The same value gets the same pseudonym within the file, and another in the next.
    #[arg(long)]
    pseudonyms: bool,
    #[command(flatten)]
    at: Where,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    Today,
    On(Date),
}

impl FromStr for Day {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "today" => Ok(Self::Today),
            date => date.parse().map(Self::On).map_err(|_| "give a date such as 2026-11-21, or today".to_owned()),
        }
    }
}

pub(super) async fn run(command: Export, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let (from, to) = command.span(terminal.now, &terminal.zone)?;
    let pseudonyms = command.pseudonyms.then(Pseudonyms::random).transpose()?;
    let recording = match export::gather(&place.services(&command.at)?, from, to, pseudonyms).await {
        Ok(recording) => recording,
        Err(error) if error.is::<Unanswered>() => {
            terminal.problem(format!("nothing was written, as the day would have holes: {error}"))?;
            return Ok(CANNOT_TELL);
        }
        Err(error) => return Err(error),
    };
    if recording.snapshots() + recording.decisions() == 0 {
        terminal.problem(format!(
            "nothing is kept from {} to {}",
            terminal.time(Some(from)),
            terminal.time(Some(to))
        ))?;
        return Ok(NOT_WELL);
    }
    warn(&recording, from, terminal)?;
    let out =
        command.out.unwrap_or_else(|| format!("day-{}.jsonl", from.to_zoned(terminal.zone.clone()).date()).into());
    if out == Path::new("-") {
        recording.write(&mut *terminal.out)?;
    } else {
        let said = format!(
            "{}: {}, {}, from {} to {}",
            out.display(),
            words::count(recording.snapshots() as i64, "snapshot"),
            words::count(recording.decisions() as i64, "decision"),
            terminal.time(Some(recording.day.from)),
            terminal.time(Some(to)),
        );
        // It names people.
        let file = layout::private_file(&out)?;
        recording.write(BufWriter::new(file)).with_context(|| format!("writing {}", out.display()))?;
        terminal.line(&said)?;
    }
    Ok(WELL)
}

/// Says what is not in the file, although it was asked for.
fn warn(recording: &Recording, from: Timestamp, terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    if recording.day.from > from {
        let since = terminal.time(Some(recording.day.from));
        terminal.problem(format!("everything is kept since {since} only: the file begins there"))?;
    }
    let missing = recording.without_snapshot();
    if missing > 0 {
        let about = if missing == 1 { "is about a snapshot that is" } else { "are about snapshots that are" };
        let missing = words::count(missing as i64, "decision");
        terminal.problem(format!("{missing} {about} kept no more, and cannot be replayed"))?;
    }
    Ok(())
}

impl Export {
    pub(super) fn span(&self, now: Timestamp, zone: &TimeZone) -> anyhow::Result<(Timestamp, Timestamp)> {
        let latest = now - SETTLING;
        let (from, to) = match (self.from, self.day) {
            (Some(from), _) => (from, self.to.unwrap_or(latest)),
            (None, Day::Today) => day(now.to_zoned(zone.clone()).date(), zone)?,
            (None, Day::On(date)) => day(date, zone)?,
        };
        let to = to.min(latest);
        anyhow::ensure!(from < to, "{from} is not before {to}: give a time that has passed");
        Ok((from, to))
    }
}

fn day(date: Date, zone: &TimeZone) -> anyhow::Result<(Timestamp, Timestamp)> {
    let begins = |date: Date| anyhow::Ok(date.to_zoned(zone.clone())?.start_of_day()?.timestamp());
    Ok((begins(date)?, begins(date.tomorrow()?)?))
}
