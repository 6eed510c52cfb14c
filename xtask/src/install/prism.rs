//! prism, a server that checks requests against a vendor's OpenAPI document.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use waybill_testkit::find_program;

use super::run_program;
use crate::workspace;

const PACKAGE: &str = "@stoplight/prism-cli";
const VERSION: &str = "5.16.0";

/// Where prism is, installed into the target folder if it was not.
///
/// # Errors
/// Without npm, or when npm fails.
pub(crate) fn install() -> anyhow::Result<PathBuf> {
    let folder = workspace::tools().join("prism");
    let program = folder.join("node_modules/.bin/prism");
    let stamp = folder.join("installed");
    let installed = std::fs::read_to_string(&stamp).is_ok_and(|version| version == VERSION);
    if installed && program.exists() {
        return Ok(program);
    }
    let npm = find_program("npm").context("npm is not installed")?;
    eprintln!("Installing {PACKAGE} {VERSION} into {}.", folder.display());
    std::fs::create_dir_all(&folder)?;
    run_program(
        Command::new(npm)
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
            .args(["--loglevel", "error", "--prefix"])
            .arg(&folder)
            .arg(format!("{PACKAGE}@{VERSION}")),
    )?;
    std::fs::write(stamp, VERSION)?;
    Ok(program)
}
