//! Where things are in this repository.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The repository's root folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Programs that only this repository's tests use.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}

/// The cargo that runs us, so that the toolchain is the same.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The vendors' documents and samples: `WAYBILL_SHARED`, else `../shared` where there is one.
pub(crate) fn shared_data() -> Option<PathBuf> {
    let named = std::env::var_os("WAYBILL_SHARED").filter(|path| !path.is_empty());
    let beside = || root().parent().map(|above| above.join("shared"));
    named.map(PathBuf::from).or_else(beside).filter(|folder| folder.is_dir())
}

/// Whether what is missing is a failure rather than a skip.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}
