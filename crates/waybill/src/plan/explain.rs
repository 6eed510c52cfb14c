//! `waybill plan explain`.

use std::{io::Write, process::ExitCode};

use waybill_plan::codes;

#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// Such as WB-P014; all codes are listed without it.
    code: Option<String>,
}

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
    Ok(ExitCode::SUCCESS)
}
