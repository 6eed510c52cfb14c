//! Who is signed in: a cookie signed with a key that lives as long as the process.

use std::{
    collections::HashMap,
    fs::File,
    io::Read as _,
    sync::{Mutex, PoisonError},
};

use anyhow::Context as _;
use axum::http::{HeaderMap, header::COOKIE};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Everyone who is signed in, without a list of them: the signature tells.
#[derive(Debug)]
pub(crate) struct Sessions {
    key: [u8; 32],
    lasts: SignedDuration,
    https: bool,
    /// Sessions signed out before their end, until then.
    ended: Mutex<HashMap<String, Timestamp>>,
}

/// One sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    id: String,
    until: Timestamp,
}

impl Session {
    /// Names the session in logs and audits without letting a reader take it over.
    pub(crate) fn who(&self) -> String {
        hex(&Sha256::digest(&self.id)[..6])
    }
}

impl Sessions {
    /// # Errors
    /// If the kernel gives no random bytes.
    pub(crate) fn new(lasts: SignedDuration, https: bool) -> anyhow::Result<Self> {
        Ok(Self { key: random()?, lasts, https, ended: Mutex::default() })
    }

    /// A new session's `Set-Cookie`.
    ///
    /// # Errors
    /// If the kernel gives no random bytes.
    pub(crate) fn start(&self, now: Timestamp) -> anyhow::Result<String> {
        let id = hex(&random::<16>()?);
        let until = now.saturating_add(self.lasts)?.as_second();
        let signature = self.sign("session", &format!("{id}.{until}"));
        Ok(self.cookie(&format!("{id}.{until}.{signature}"), self.lasts.as_secs()))
    }

    /// The session that a request belongs to, if it is signed by us and not over.
    pub(crate) fn find(&self, headers: &HeaderMap, now: Timestamp) -> Option<Session> {
        let name = self.cookie_name();
        let value = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))?;
        let (signed, signature) = value.rsplit_once('.')?;
        if !same(&self.sign("session", signed), signature) {
            return None;
        }
        let (id, until) = signed.split_once('.')?;
        let until = Timestamp::from_second(until.parse().ok()?).ok()?;
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).contains_key(id);
        (now < until && !ended).then(|| Session { id: id.to_owned(), until })
    }

    /// Ends a session; the `Set-Cookie` that clears it.
    pub(crate) fn end(&self, session: &Session, now: Timestamp) -> String {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|_, until| now < *until);
        ended.insert(session.id.clone(), session.until);
        self.cookie("", 0)
    }

    /// What each form of this session carries.
    pub(crate) fn form_token(&self, session: &Session) -> String {
        self.sign("form", &session.id)
    }

    /// Whether a form carries its session's token.
    pub(crate) fn form_is_ours(&self, session: &Session, given: &str) -> bool {
        same(&self.form_token(session), given)
    }

    /// Whether two secrets are equal, in a time that tells neither content nor length.
    pub(crate) fn same_secret(&self, one: &str, other: &str) -> bool {
        same(&self.sign("secret", one), &self.sign("secret", other))
    }

    fn sign(&self, purpose: &str, text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        hex(&mac.finalize().into_bytes())
    }

    /// The `__Host-` prefix has browsers refuse the cookie from anywhere but this very host over TLS.
    const fn cookie_name(&self) -> &'static str {
        if self.https { "__Host-waybill" } else { "waybill" }
    }

    fn cookie(&self, value: &str, seconds: i64) -> String {
        let secure = if self.https { "; Secure" } else { "" };
        let name = self.cookie_name();
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
    }
}

fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("no random bytes from /dev/urandom")?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, header::COOKIE};
    use jiff::{SignedDuration, Timestamp};

    use super::Sessions;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn sessions() -> Sessions {
        Sessions::new(SignedDuration::from_hours(1), false).unwrap()
    }

    fn sent_back(set_cookie: &str) -> HeaderMap {
        let pair = set_cookie.split(';').next().unwrap();
        HeaderMap::from_iter([(COOKIE, format!("theme=dark; {pair}").parse().unwrap())])
    }

    #[test]
    fn a_session_is_found_until_it_is_over() {
        let sessions = sessions();
        let headers = sent_back(&sessions.start(NOW).unwrap());
        assert!(sessions.find(&headers, NOW).is_some());
        assert!(sessions.find(&headers, NOW + SignedDuration::from_hours(1)).is_none());
    }

    #[test]
    fn a_longer_life_than_was_signed_is_refused() {
        let sessions = sessions();
        let forged = sessions.start(NOW).unwrap().replace(".3600.", ".9999999.");
        assert!(sessions.find(&sent_back(&forged), NOW).is_none());
    }

    #[test]
    fn another_processs_session_is_refused() {
        let headers = sent_back(&sessions().start(NOW).unwrap());
        assert!(sessions().find(&headers, NOW).is_none());
    }

    #[test]
    fn a_session_that_was_signed_out_stays_out() {
        let sessions = sessions();
        let headers = sent_back(&sessions.start(NOW).unwrap());
        let session = sessions.find(&headers, NOW).unwrap();
        sessions.end(&session, NOW);
        assert!(sessions.find(&headers, NOW).is_none());
    }

    #[test]
    fn a_form_of_another_session_is_not_ours() {
        let sessions = sessions();
        let find = || sessions.find(&sent_back(&sessions.start(NOW).unwrap()), NOW).unwrap();
        let (mine, theirs) = (find(), find());
        assert!(sessions.form_is_ours(&mine, &sessions.form_token(&mine)));
        assert!(!sessions.form_is_ours(&mine, &sessions.form_token(&theirs)));
        assert!(!sessions.form_is_ours(&mine, ""));
    }

    #[test]
    fn over_tls_the_cookie_is_for_tls_only() {
        let sessions = Sessions::new(SignedDuration::from_hours(1), true).unwrap();
        let cookie = sessions.start(NOW).unwrap();
        assert!(cookie.starts_with("__Host-waybill=") && cookie.ends_with("; Secure"), "{cookie}");
    }

    #[test]
    fn the_name_in_logs_does_not_hold_the_cookie() {
        let sessions = sessions();
        let cookie = sessions.start(NOW).unwrap();
        let session = sessions.find(&sent_back(&cookie), NOW).unwrap();
        assert!(!cookie.contains(&session.who()));
        assert_eq!(session.who().len(), 12);
    }
}
