//! Sessions: `common.db.login` and what proves one afterwards.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::StatusCode;

use super::{
    trouble::{Outcome, Trouble},
    value::Id,
};

/// Failed logins before Tryton answers 429 (`[session] max_attempt`).
const MOST_ATTEMPTS: u32 = 5;
/// The user who logs in; the first is the administrator.
pub(super) const USER: Id = 2;

/// The user and the open sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    login: String,
    password: String,
    tokens: Vec<String>,
    failed: HashMap<String, u32>,
}

impl Sessions {
    pub(super) fn new(login: &str, password: &str) -> Self {
        Self { login: login.to_owned(), password: password.to_owned(), tokens: Vec::new(), failed: HashMap::new() }
    }

    /// A new session's token.
    pub(super) fn open(&mut self, login: &str, password: Option<&str>) -> Outcome<String> {
        let failed = self.failed.entry(login.to_owned()).or_default();
        if *failed > MOST_ATTEMPTS {
            return Err(Trouble::Page(StatusCode::TOO_MANY_REQUESTS, super::answers::TOO_MANY));
        }
        let Some(password) = password else {
            return Err(Trouble::Login { parameter: "password", message: format!("Password for {login}") });
        };
        if login != self.login || password != self.password {
            *failed += 1;
            return Err(Trouble::Page(StatusCode::UNAUTHORIZED, super::answers::UNAUTHORIZED));
        }
        *failed = 0;
        let token: String = (0..64).map(|_| fastrand::digit(16)).collect();
        self.tokens.push(token.clone());
        Ok(token)
    }

    /// Whether `Authorization: Session base64(login:id:token)` names an open session.
    pub(super) fn proves(&self, authorization: Option<&str>) -> bool {
        self.token(authorization).is_some_and(|token| self.tokens.contains(&token))
    }

    /// Ends the session that the header names.
    pub(super) fn close(&mut self, authorization: Option<&str>) {
        if let Some(token) = self.token(authorization) {
            self.tokens.retain(|open| *open != token);
        }
    }

    /// Ends all sessions.
    pub(super) fn expire(&mut self) {
        self.tokens.clear();
    }

    fn token(&self, authorization: Option<&str>) -> Option<String> {
        let (scheme, value) = authorization?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("session") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
        let mut parts = text.splitn(3, ':');
        let (login, user, token) = (parts.next()?, parts.next()?, parts.next()?);
        (login == self.login && user == USER.to_string()).then(|| token.to_owned())
    }
}
