//! `waybill plan explain`.

use std::{io::Write, process::ExitCode};

use waybill_plan::codes;

#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// Such as WB-P014; all codes are listed without it.
    code: Option<String>,
}

/// Codes about names: what there is to name is told with them.
const OF_NAMES: [&str; 2] = ["WB-P021", "WB-P040"];

pub(crate) fn run(command: &Explain, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let Some(code) = &command.code else {
        for code in codes::CODES {
            writeln!(out, "{}  {}", code.code, code.title)?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let Some(known) = codes::of(code) else {
        anyhow::bail!("there is no code '{code}'; `waybill plan explain` lists them");
    };
    writeln!(out, "{}: {}\n\n{}\n\nTo mend it: {}", known.code, known.title, known.meaning, known.mend)?;
    if OF_NAMES.contains(&known.code) {
        writeln!(out, "\nThere are, of the records that flows bring (of a list each has what stands behind []):")?;
        for (kind, names) in codes::names() {
            writeln!(out, "\n{kind}:")?;
            for name in names {
                writeln!(out, "  {name}")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
