//! Where the services are, and the token: from the command line, the environment or a running `waybill up`.

use std::{collections::BTreeMap, fs};

use anyhow::Context as _;
use console::services::Services;
use waybill_runtime::{secret, settings::SecretText};

use super::{Where, state::UpState};

const NOWHERE: &str = "no services are named: give --peers or WAYBILL_PEERS (alerter=http://…,erp-sync=http://…), \
                       or run this in the directory where `waybill up` runs";
const NO_TOKEN: &str = "no token is given: set WAYBILL_GRPC_TOKEN or WAYBILL_GRPC_TOKEN_FILE, or give --token";

/// What the process was started with.
pub(super) struct Place {
    peers: Option<String>,
    token: Option<String>,
    up: Option<UpState>,
}

impl Place {
    /// Reads the environment and the state file.
    pub(super) fn of_process() -> anyhow::Result<Self> {
        Self::of(&secret::environment)
    }

    pub(super) fn of(env: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        Ok(Self {
            peers: variable(env, "WAYBILL_PEERS")?,
            token: variable(env, "WAYBILL_GRPC_TOKEN")?,
            up: UpState::read(&UpState::path(env))?,
        })
    }

    /// The running suite's console, if its addresses are what is used.
    pub(super) fn console(&self, given: &Where) -> Option<&str> {
        let told = given.peers.is_some() || self.peers.is_some();
        self.up.as_ref().filter(|_| !told).map(|up| up.console.as_str())
    }

    /// The services to ask.
    pub(super) fn services(&self, given: &Where) -> anyhow::Result<Services> {
        let (peers, token) = self.resolve(given)?;
        Services::new(&peers, &token)
    }

    fn resolve(&self, given: &Where) -> anyhow::Result<(BTreeMap<String, String>, SecretText)> {
        let token = given.token.clone().or_else(|| self.token.clone());
        match (given.peers.as_ref().or(self.peers.as_ref()), &self.up) {
            (Some(peers), _) => Ok((parse(peers)?, token.context(NO_TOKEN)?.into())),
            (None, Some(up)) => {
                let token = match token {
                    Some(token) => token,
                    None => read(&up.grpc_token_file.to_string_lossy())?,
                };
                Ok((up.peers.clone(), token.into()))
            }
            (None, None) => anyhow::bail!(NOWHERE),
        }
    }
}

fn variable(env: &dyn Fn(&str) -> Option<String>, name: &str) -> anyhow::Result<Option<String>> {
    if let Some(value) = env(name).filter(|value| !value.is_empty()) {
        return Ok(Some(value));
    }
    env(&format!("{name}_FILE")).filter(|path| !path.is_empty()).map(|path| read(&path)).transpose()
}

fn read(path: &str) -> anyhow::Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("{path} cannot be read"))?;
    Ok(text.trim_end().to_owned())
}

fn parse(peers: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let pairs = peers.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let parsed = pairs.map(|pair| {
        let (name, url) = pair
            .split_once('=')
            .with_context(|| format!("'{pair}' is not name=url, such as erp-sync=http://127.0.0.1:9091"))?;
        Ok((name.to_owned(), url.to_owned()))
    });
    let parsed: BTreeMap<String, String> = parsed.collect::<anyhow::Result<_>>()?;
    anyhow::ensure!(!parsed.is_empty(), NOWHERE);
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::{Place, UpState, Where};

    fn up() -> UpState {
        UpState {
            peers: [("alerter".to_owned(), "http://up".to_owned())].into(),
            grpc_token_file: "/no/such/token".into(),
            console: "http://console".to_owned(),
        }
    }

    fn place(peers: Option<&str>, token: Option<&str>, up: Option<UpState>) -> Place {
        Place { peers: peers.map(str::to_owned), token: token.map(str::to_owned), up }
    }

    fn on_the_command_line(peers: &str) -> Where {
        Where { peers: Some(peers.to_owned()), token: None }
    }

    #[test]
    fn the_command_line_wins_over_the_environment_and_that_over_a_running_suite() {
        let place = place(Some("alerter=http://env"), Some("t"), Some(up()));
        let (peers, _) = place.resolve(&on_the_command_line("alerter=http://line")).unwrap();
        assert_eq!(peers["alerter"], "http://line");
        let (peers, _) = place.resolve(&Where::default()).unwrap();
        assert_eq!(peers["alerter"], "http://env");
    }

    #[test]
    fn a_running_suites_token_is_not_sent_elsewhere() {
        let error = place(None, None, Some(up())).resolve(&on_the_command_line("alerter=http://x")).unwrap_err();
        assert!(error.to_string().contains("WAYBILL_GRPC_TOKEN"), "{error}");
    }

    #[test]
    fn nothing_to_ask_says_what_to_give() {
        let error = place(None, None, None).resolve(&Where::default()).unwrap_err();
        assert!(error.to_string().contains("WAYBILL_PEERS"), "{error}");
    }

    #[test]
    fn an_address_without_a_name_is_shown() {
        let error = place(None, Some("t"), None).resolve(&on_the_command_line("http://x")).unwrap_err();
        assert!(error.to_string().contains("'http://x' is not name=url"), "{error}");
    }
}
