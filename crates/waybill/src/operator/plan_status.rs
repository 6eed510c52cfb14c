//! `waybill plan status`: which plan each running replica obeys.

use std::path::Path;

use clap::Args;
use console::{
    services::{Plans, Replica, Verdict},
    words,
};
use jiff::Timestamp;
use serde::Serialize;
use waybill_plan::{Connectors, Plan};

use super::{CANNOT_TELL, NOT_WELL, WELL, Where, place::Place, table::Table, terminal::Terminal};
use crate::{PlanFile, connectors};

/// Which plan each running replica obeys.
#[derive(Debug, Args)]
pub(crate) struct PlanStatus {
    #[command(flatten)]
    file: PlanFile,
    /// One JSON object: `verdict`, `reasons`, `file`, `replicas` and `unheard`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
}

/// The plan's file, as it is here.
#[derive(Debug)]
enum File {
    Passes {
        hash: String,
    },
    Refused {
        problem: String,
    },
    /// It need not be on the machine that asks.
    Unreadable {
        problem: String,
    },
}

impl File {
    fn read(path: &Path) -> Self {
        match std::fs::read_to_string(path).map(|text| Plan::parse(&text, Connectors::All(&connectors::all()))) {
            Ok(Ok(plan)) => Self::Passes { hash: plan.hash },
            Ok(Err(problem)) => Self::Refused { problem: problem.to_string() },
            Err(problem) => Self::Unreadable { problem: problem.to_string() },
        }
    }

    fn hash(&self) -> Option<&str> {
        match self {
            Self::Passes { hash } => Some(hash),
            Self::Refused { .. } | Self::Unreadable { .. } => None,
        }
    }

    /// What is wrong between the file and the replicas.
    fn wrong(&self, path: &Path, replicas: &[Replica]) -> Option<String> {
        match self {
            Self::Passes { hash } => {
                let others = replicas.iter().filter(|replica| replica.hash != *hash).count() as i64;
                let who = words::count(others, "replica");
                (others > 0).then(|| format!("another plan than {} is obeyed by {who}", path.display()))
            }
            Self::Refused { .. } => Some(format!("{} does not pass, so nobody can obey it", path.display())),
            Self::Unreadable { .. } => None,
        }
    }
}

/// The status as programs read it.
#[derive(Debug, Serialize)]
struct StatusJson<'a> {
    /// `well`, `not_well` or `cannot_tell`.
    verdict: &'static str,
    reasons: &'a [String],
    file: FileJson<'a>,
    replicas: Vec<ReplicaJson<'a>>,
    /// Services of which no replica was heard.
    unheard: &'a [String],
}

#[derive(Debug, Serialize)]
struct FileJson<'a> {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct ReplicaJson<'a> {
    service: &'a str,
    replica: &'a str,
    hash: &'a str,
    since: Option<Timestamp>,
    /// Whether it obeys the file; absent if the file's hash is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    obeys_file: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_since: Option<Timestamp>,
    heard_at: Option<Timestamp>,
}

pub(super) async fn run(command: PlanStatus, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let plans = match place.services(&command.at)?.plans().await {
        Ok(plans) => plans,
        Err(unanswered) => {
            terminal.problem(unanswered)?;
            return Ok(CANNOT_TELL);
        }
    };
    let path = command.file.plan;
    let file = File::read(&path);
    let wrong = plans.wrong().into_iter().chain(file.wrong(&path, &plans.replicas)).collect();
    let verdict = Verdict::of(wrong, plans.untold());
    if command.json {
        terminal.json(&as_json(&plans, &file, &path, &verdict))?;
    } else {
        write(&plans, &file, &path, &verdict, terminal)?;
    }
    Ok(match verdict {
        Verdict::Well => WELL,
        Verdict::NotWell(_) => NOT_WELL,
        Verdict::CannotTell(_) => CANNOT_TELL,
    })
}

fn as_json<'a>(plans: &'a Plans, file: &'a File, path: &Path, verdict: &'a Verdict) -> StatusJson<'a> {
    let (word, reasons): (_, &[String]) = match verdict {
        Verdict::Well => ("well", &[]),
        Verdict::NotWell(why) => ("not_well", why),
        Verdict::CannotTell(why) => ("cannot_tell", why),
    };
    let problem = match file {
        File::Passes { .. } => None,
        File::Refused { problem } | File::Unreadable { problem } => Some(problem.as_str()),
    };
    let replica = |replica: &'a Replica| ReplicaJson {
        service: &replica.service,
        replica: &replica.name,
        hash: &replica.hash,
        since: replica.since,
        obeys_file: file.hash().map(|hash| replica.hash == hash),
        problem: Some(replica.problem.as_str()).filter(|problem| !problem.is_empty()),
        refused_since: replica.refused_since,
        heard_at: replica.heard_at,
    };
    StatusJson {
        verdict: word,
        reasons,
        file: FileJson { path: path.display().to_string(), hash: file.hash(), problem },
        replicas: plans.replicas.iter().map(replica).collect(),
        unheard: &plans.unheard,
    }
}

fn write(
    plans: &Plans,
    file: &File,
    path: &Path,
    verdict: &Verdict,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<()> {
    let (title, reasons): (_, &[String]) = match verdict {
        Verdict::Well => ("all replicas obey the same plan", &[]),
        Verdict::NotWell(why) => ("not well", why),
        Verdict::CannotTell(why) => ("cannot be told", why),
    };
    terminal.line(title)?;
    for reason in reasons {
        terminal.line(&format!("  {reason}"))?;
    }
    terminal.gap()?;
    let path = path.display();
    terminal.line(&match file {
        File::Passes { hash } => format!("{path} has the hash {hash}"),
        File::Refused { .. } => format!("{path} does not pass: `waybill plan check` says why"),
        File::Unreadable { problem } => format!("{path} cannot be compared: {problem}"),
    })?;
    if !plans.replicas.is_empty() {
        terminal.gap()?;
        replicas(&plans.replicas, file, terminal)?;
    }
    Ok(())
}

fn replicas(replicas: &[Replica], file: &File, terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    let mut table = Table::new(&["service", "replica", "hash", "since", "problem"]);
    for replica in replicas {
        let other = file.hash().is_some_and(|hash| replica.hash != hash);
        let problem = match replica.problem.lines().count() {
            0 | 1 => replica.first_line().to_owned(),
            _ => format!("{} …", replica.first_line()),
        };
        table.row([
            replica.service.clone(),
            replica.name.clone(),
            if other { format!("{} (not the file's)", replica.hash) } else { replica.hash.clone() },
            terminal.time(replica.since),
            problem,
        ]);
    }
    table.write(terminal.out, "")?;
    for replica in replicas.iter().filter(|replica| !replica.problem.is_empty()) {
        terminal.gap()?;
        let since = terminal.time(replica.refused_since);
        terminal.line(&format!("{} {} refuses the file since {since}:", replica.service, replica.name))?;
        for line in replica.problem.lines() {
            terminal.line(&format!("  {line}"))?;
        }
    }
    Ok(())
}
