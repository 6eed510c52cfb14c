//! Where the servers' programs are on this machine.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::environment;

/// Debian puts each PostgreSQL version's server programs here, outside the search path.
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";

/// Often missing from an ordinary user's search path; Debian's nats-server is there.
const SYSTEM_PROGRAMS: &str = "/usr/sbin";

/// A program that the private servers need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The NATS server.
    NatsServer,
    /// PostgreSQL's server.
    Postgres,
    /// What creates a PostgreSQL cluster.
    Initdb,
    /// PostgreSQL's command line, for creating and dropping databases.
    Psql,
    /// util-linux's `setpriv`, which ties a child's life to ours.
    Setpriv,
}

impl Program {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::NatsServer, Self::Postgres, Self::Initdb, Self::Psql, Self::Setpriv];

    /// The file's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::NatsServer => "nats-server",
            Self::Postgres => "postgres",
            Self::Initdb => "initdb",
            Self::Psql => "psql",
            Self::Setpriv => "setpriv",
        }
    }

    /// The Debian and Ubuntu package that has it.
    pub fn package(self) -> &'static str {
        match self {
            Self::NatsServer => "nats-server",
            Self::Postgres | Self::Initdb | Self::Psql => "postgresql",
            Self::Setpriv => "util-linux",
        }
    }

    /// Where it is, if it is installed.
    pub fn find(self) -> Option<PathBuf> {
        find_program(self.name())
    }

    /// Where it is.
    ///
    /// # Errors
    /// When it is not installed; the message says which package has it.
    pub fn require(self) -> anyhow::Result<PathBuf> {
        self.find().ok_or_else(|| {
            anyhow::anyhow!(
                "{} is not installed; cargo xtask test installs it (package {})",
                self.name(),
                self.package()
            )
        })
    }
}

/// The programs that are not installed.
pub fn missing_programs() -> Vec<Program> {
    Program::ALL.into_iter().filter(|program| program.find().is_none()).collect()
}

/// Looks for a program in the search path, in PostgreSQL's version folders (newest first) and in
/// `/usr/sbin`.
pub fn find_program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&environment::search_path())
        .chain(postgres_folders(Path::new(POSTGRES_VERSIONS)))
        .chain([PathBuf::from(SYSTEM_PROGRAMS)])
        .map(|folder| folder.join(name))
        .find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// `<root>/<version>/bin`, newest version first, as numbers: 15 comes before 9.6.
fn postgres_folders(root: &Path) -> Vec<PathBuf> {
    let mut versions: Vec<(Vec<u32>, PathBuf)> = std::fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().into_string().ok()?;
            let parts = version.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
            Some((parts, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by(|(left, _), (right, _)| right.cmp(left));
    versions.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScratchFolder;

    #[test]
    fn the_newest_postgres_comes_first() -> anyhow::Result<()> {
        let folder = ScratchFolder::new("programs")?;
        for version in ["9.6", "15", "17", "not-a-version"] {
            std::fs::create_dir_all(folder.path().join(version).join("bin"))?;
        }
        let found: Vec<_> = postgres_folders(folder.path())
            .iter()
            .filter_map(|path| Some(path.strip_prefix(folder.path()).ok()?.to_owned()))
            .collect();
        assert_eq!(found, ["17/bin", "15/bin", "9.6/bin"].map(PathBuf::from).to_vec());
        Ok(())
    }

    #[test]
    fn a_program_nobody_has_is_not_found() {
        assert_eq!(find_program("waybill-no-such-program"), None);
    }
}
