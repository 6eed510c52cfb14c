//! Builds programs of this workspace and learns from cargo where they are.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::Value;

use crate::workspace;

/// Programs by their names.
#[derive(Debug, Clone)]
pub(crate) struct Programs(BTreeMap<String, PathBuf>);

impl Programs {
    /// Builds every program of these packages.
    ///
    /// # Errors
    /// When the build fails; the compiler has said why.
    pub(crate) fn build(packages: &[&str]) -> anyhow::Result<Self> {
        Self::build_with(packages, None)
    }

    /// The same, with a feature of one more package, which all that use it then have.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub(crate) fn build_with(packages: &[&str], feature: Option<(&str, &str)>) -> anyhow::Result<Self> {
        Self::build_as(packages, feature, &[])
    }

    /// As they are shipped, with these of their examples.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub(crate) fn build_released(packages: &[&str], examples: &[&str]) -> anyhow::Result<Self> {
        let examples = examples.iter().flat_map(|example| ["--example", example]);
        Self::build_as(packages, None, &["--release"].into_iter().chain(examples).collect::<Vec<_>>())
    }

    fn build_as(packages: &[&str], feature: Option<(&str, &str)>, more: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(workspace::cargo());
        command.current_dir(workspace::root());
        Self::finish(command, packages, feature, more)
    }

    /// The same of another commit, checked out and built beside this one.
    ///
    /// # Errors
    /// As [`Self::build`], and when git knows no such commit.
    pub(crate) fn build_at(revision: &str, packages: &[&str]) -> anyhow::Result<Self> {
        let git = |arguments: &[&str]| -> anyhow::Result<String> {
            let done = Command::new("git").args(arguments).current_dir(workspace::root()).output().context("git")?;
            let why = String::from_utf8_lossy(&done.stderr);
            anyhow::ensure!(done.status.success(), "git {}: {}", arguments.join(" "), why.trim());
            Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
        };
        let commit = git(&["rev-parse", "--verify", &format!("{revision}^{{commit}}")])?;
        let folder = workspace::target().join("earlier");
        let source = folder.join(&commit);
        if !source.join("Cargo.toml").exists() {
            let archive = folder.join(format!("{commit}.tar"));
            std::fs::create_dir_all(&source).with_context(|| format!("creating {}", source.display()))?;
            git(&["archive", "--format=tar", "--output", &archive.to_string_lossy(), &commit])?;
            let unpacked = Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&source).status()?;
            anyhow::ensure!(unpacked.success(), "tar: {unpacked}");
            std::fs::remove_file(&archive)?;
        }
        eprintln!("Building {commit} beside this version.");
        let mut command = Command::new(workspace::cargo());
        // Its own: the files are as old as their commit, so that cargo would take what another one was built to for theirs.
        command.current_dir(&source).env("CARGO_TARGET_DIR", source.join("target"));
        Self::finish(command, packages, None, &[])
    }

    fn finish(
        mut command: Command,
        packages: &[&str],
        feature: Option<(&str, &str)>,
        more: &[&str],
    ) -> anyhow::Result<Self> {
        command
            .args(["build", "--bins"])
            .args(more)
            .arg("--message-format=json-render-diagnostics")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        for package in packages {
            command.args(["--package", package]);
        }
        if let Some((package, feature)) = feature {
            command.args(["--package", package, "--features", feature]);
        }
        let mut build = command.spawn().context("running cargo build")?;
        let output = build.stdout.take().context("cargo's output")?;
        let mut programs = BTreeMap::new();
        for line in BufReader::new(output).lines() {
            programs.extend(executable(&line?));
        }
        let status = build.wait()?;
        anyhow::ensure!(status.success(), "cargo build: {status}");
        Ok(Self(programs))
    }

    /// With other programs in the place of those of the same names.
    pub(crate) fn with(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Where the program is.
    ///
    /// # Errors
    /// When no built package has one of that name.
    pub(crate) fn get(&self, name: &str) -> anyhow::Result<PathBuf> {
        let found = self.0.get(name).cloned();
        found.with_context(|| format!("no package that was built has a program {name}"))
    }
}

/// The program that a line of cargo's messages tells of.
fn executable(line: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let path = message["executable"].as_str()?;
    let name = message["target"]["name"].as_str()?;
    Some((name.to_owned(), path.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_with_an_executable_is_a_program() {
        let line = r#"{"reason":"compiler-artifact","target":{"name":"waybill"},"executable":"/t/waybill"}"#;
        assert_eq!(executable(line), Some(("waybill".into(), "/t/waybill".into())));
    }

    #[test]
    fn a_library_is_none() {
        let line = r#"{"reason":"compiler-artifact","target":{"name":"x"},"executable":null}"#;
        assert_eq!(executable(line), None);
    }
}
