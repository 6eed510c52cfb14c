//! `cargo xtask test`: every test, with real servers.

use std::process::{Command, ExitCode, Stdio};

use anyhow::Context as _;
use waybill_testkit::{Launch, PrivatePostgres, ScratchFolder, Signal, find_program};

use crate::install::{self, Consent};
use crate::{interrupt, workspace};

/// `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Install what is missing without asking.
    #[arg(long)]
    yes: bool,
    /// For the test runner.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Runs them and passes the runner's exit code on; its summary is the last thing printed.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let consent = Consent::new(options.yes);
    install::servers(consent)?;
    let tools = install::test_tools(consent)?;
    interrupt::watch()?;

    // One cluster for the run: each test has a database of its own in it.
    let folder = ScratchFolder::new("tests")?;
    let mut postgres = PrivatePostgres::start(folder.path().join("postgres"))?;
    let mut runner = runner(&options.arguments)?
        .env("WAYBILL_TEST_POSTGRES", postgres.url().expose())
        .in_folder(workspace::root())
        // It ends its tests on this; SIGKILL would leave them running.
        .when_orphaned(Signal::Terminate);
    for (variable, value) in &tools {
        runner = runner.env(variable, value);
    }
    match workspace::shared_data() {
        Some(shared) => runner = runner.env("WAYBILL_SHARED", shared.canonicalize()?),
        None => eprintln!("skipped: tests with the vendors' documents (WAYBILL_SHARED is not set)"),
    }
    let status = runner.spawn()?.wait()?;
    postgres.stop()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

/// nextest where it is installed, else cargo's own.
fn runner(arguments: &[String]) -> anyhow::Result<Launch> {
    let cargo = workspace::cargo();
    let nextest = Command::new(&cargo)
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let cargo = find_program(&cargo.to_string_lossy()).context("cargo is not in the search path")?;
    // `cargo xtask test -- -p erp-sync` builds and runs only that.
    let one = |argument: &String| argument == "-p" || argument.starts_with("--package");
    let whole = (!arguments.iter().any(one)).then_some("--workspace");
    // In CI one failure should not hide the others.
    let thorough = workspace::in_ci().then_some("--no-fail-fast");
    let words: &[&str] = if nextest { &["nextest", "run"] } else { &["test"] };
    Ok(Launch::new(cargo).args(words).args(whole).args(thorough).args(arguments))
}
