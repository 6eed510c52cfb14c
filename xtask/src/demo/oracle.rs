//! The oracle: compares the store's final records with what the systems hold, over their own APIs.

use std::process::{Command, Stdio};

use anyhow::Context as _;

use super::figures::Figures;
use super::world::World;
use crate::cargo_build::Programs;

/// Adds the oracle's figures; what it disagrees with. Its findings go to the person.
pub(crate) fn ask(programs: &Programs, world: &World, figures: &mut Figures) -> anyhow::Result<Vec<String>> {
    ask_as(programs, world, &[], figures)
}

/// The same with more arguments of the oracle's.
pub(crate) fn ask_as(
    programs: &Programs,
    world: &World,
    more: &[&str],
    figures: &mut Figures,
) -> anyhow::Result<Vec<String>> {
    let verdict = world.ready_file().with_file_name("oracle.json");
    let output = Command::new(programs.get("waybill-oracle")?)
        .arg("--ready")
        .arg(world.ready_file())
        .arg("--json")
        .arg(&verdict)
        .args(more)
        .stdin(Stdio::null())
        .output()
        .context("running the oracle")?;
    eprint!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let Ok(json) = std::fs::read(&verdict) else {
        return Ok(vec![format!("the oracle could not ask: {}", output.status)]);
    };
    figures.add(&Figures::parse(&json).context("the oracle's verdict")?);
    Ok(if output.status.success() { Vec::new() } else { vec!["the oracle disagrees".to_owned()] })
}
