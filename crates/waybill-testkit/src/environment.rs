//! Every environment variable this crate looks at.

use std::ffi::OsString;
use std::path::PathBuf;

/// Whether a missing server or folder is a failure: `CI` is set and not empty.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}

/// The cluster that the whole test run shares, as a superuser's URL.
pub(crate) fn shared_cluster() -> Option<String> {
    std::env::var_os("WAYBILL_TEST_POSTGRES")?.into_string().ok().filter(|url| !url.is_empty())
}

/// The folder with the vendors' documents and samples.
pub(crate) fn shared_folder() -> Option<PathBuf> {
    std::env::var_os("WAYBILL_SHARED").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// prism's program.
pub(crate) fn prism() -> Option<PathBuf> {
    std::env::var_os("WAYBILL_PRISM").map(PathBuf::from)
}

/// The Python that has Tryton.
pub(crate) fn tryton_python() -> Option<PathBuf> {
    std::env::var_os("WAYBILL_TRYTON_PYTHON").map(PathBuf::from)
}

/// The shell's search path.
pub(crate) fn search_path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}
