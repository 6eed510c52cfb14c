//! The folder of shared data, which is no part of the project.

use std::path::PathBuf;

/// A file or folder in it; `None` after a plain line if `WAYBILL_SHARED` is not set, which is a failure in CI.
#[expect(clippy::disallowed_methods, reason = "a test takes the folder of shared data from the environment")]
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    match std::env::var("WAYBILL_SHARED") {
        Ok(folder) => {
            let path = PathBuf::from(folder).join(path);
            assert!(path.exists(), "{} is not there", path.display());
            Some(path)
        }
        Err(_) if std::env::var("CI").is_ok() => {
            panic!("WAYBILL_SHARED does not name the folder of shared data")
        }
        Err(_) => {
            println!("skipped: WAYBILL_SHARED does not name the folder of shared data");
            None
        }
    }
}
