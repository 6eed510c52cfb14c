//! What a running `waybill up` leaves behind for the operator's commands.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// Where the running suite can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UpState {
    /// The services' gRPC addresses, by service.
    pub(crate) peers: BTreeMap<String, String>,
    /// The file that holds the token of each call.
    pub(crate) grpc_token_file: PathBuf,
    /// The console's address.
    pub(crate) console: String,
}

impl UpState {
    /// Where the file is: `WAYBILL_STATE`, else `up.json` in the folder that `waybill up` is told to use
    /// (`WAYBILL_STATE_DIR`, else `.waybill` in the working directory).
    pub(crate) fn path(env: &dyn Fn(&str) -> Option<String>) -> PathBuf {
        let set = |name| env(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        set("WAYBILL_STATE")
            .unwrap_or_else(|| set("WAYBILL_STATE_DIR").unwrap_or_else(|| ".waybill".into()).join("up.json"))
    }

    /// Reads the file; none if there is none.
    ///
    /// # Errors
    /// If it cannot be read or is not such a file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        };
        let state = serde_json::from_str(&text)
            .with_context(|| format!("{} is not what `waybill up` writes", path.display()))?;
        Ok(Some(state))
    }
}

#[cfg(test)]
mod tests {
    use super::UpState;

    #[test]
    fn the_file_is_in_the_working_directory_unless_told_otherwise() {
        assert_eq!(UpState::path(&|_| None).to_str(), Some(".waybill/up.json"));
        let told = |variable: &'static str, value: &'static str| {
            UpState::path(&move |name| (name == variable).then(|| value.to_owned()))
        };
        assert_eq!(told("WAYBILL_STATE", "/run/up.json"), told("WAYBILL_STATE_DIR", "/run"));
    }

    #[test]
    fn no_file_is_no_error() {
        assert_eq!(UpState::read("/no/such/folder/up.json".as_ref()).unwrap(), None);
    }
}
