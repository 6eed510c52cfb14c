//! Folders for what servers write, gone when the test is.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Marks a folder as ours to remove once its process is gone.
const MARKER: &str = ".waybill-scratch";

/// A folder of its own in the system's temporary folder, removed on drop.
///
/// A process that is killed cannot remove its folder, so each new one first removes those whose
/// process is gone.
#[derive(Debug)]
pub struct ScratchFolder {
    path: PathBuf,
    kept: bool,
}

impl ScratchFolder {
    /// Creates one; `label` is part of its name.
    ///
    /// # Errors
    /// When the temporary folder cannot be written.
    pub fn new(label: &str) -> anyhow::Result<Self> {
        let root = std::env::temp_dir();
        remove_abandoned(&root);
        let name = format!("waybill-{label}-{}-{}", std::process::id(), random_hex(4)?);
        let path = root.join(name);
        fs::create_dir(&path).with_context(|| format!("creating {}", path.display()))?;
        // PostgreSQL refuses to run as root, so its user must be able to walk through, whatever
        // our umask is. What is secret inside has its own permissions.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        fs::write(path.join(MARKER), "")?;
        Ok(Self { path, kept: false })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the folder behind for a person to look at, and says where it is.
    pub fn keep(mut self) -> PathBuf {
        self.kept = true;
        let _ = fs::remove_file(self.path.join(MARKER));
        self.path.clone()
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

fn remove_abandoned(root: &Path) {
    let Ok(me) = fs::metadata("/proc/self") else {
        return;
    };
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let path = entry.path();
        let abandoned = owner_process(&path).is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists());
        let marked_by_us =
            fs::symlink_metadata(path.join(MARKER)).is_ok_and(|marker| marker.is_file() && marker.uid() == me.uid());
        if abandoned && marked_by_us {
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// The process id in `waybill-<label>-<pid>-<random>`.
fn owner_process(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?.strip_prefix("waybill-")?;
    name.rsplit('-').nth(1)?.parse().ok()
}

/// `bytes` random bytes from the kernel, as hex digits.
///
/// # Errors
/// When the kernel's random source cannot be read.
pub fn random_hex(bytes: usize) -> anyhow::Result<String> {
    let mut buffer = vec![0; bytes];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut buffer)).context("reading /dev/urandom")?;
    Ok(buffer.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_owner() -> anyhow::Result<()> {
        let folder = ScratchFolder::new("goes")?;
        let path = folder.path().to_owned();
        fs::write(path.join("file"), "text")?;
        drop(folder);
        assert!(!path.exists());
        Ok(())
    }

    #[test]
    fn the_folder_of_a_dead_process_goes_and_that_of_a_live_one_stays() -> anyhow::Result<()> {
        let root = ScratchFolder::new("abandoned")?;
        // Above the kernel's largest process id (2^22), so nobody ever has it.
        let dead = root.path().join("waybill-x-9999999-00");
        let kept = root.path().join("waybill-y-9999999-00");
        let live = root.path().join(format!("waybill-x-{}-00", std::process::id()));
        for folder in [&dead, &kept, &live] {
            fs::create_dir(folder)?;
        }
        fs::write(dead.join(MARKER), "")?;
        fs::write(live.join(MARKER), "")?;

        remove_abandoned(root.path());

        assert!(!dead.exists());
        assert!(kept.exists(), "a folder without our marker is not ours");
        assert!(live.exists());
        Ok(())
    }
}
