//! One HTTP client for all connectors: it tells what an answer, a cut or a time-out means.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;

use crate::{deadline, failure::Failure, gate::Gate};

/// What a call does at the vendor, which decides what a cut means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Changes something; sent twice it has the effect of once.
    IdempotentWrite,
    /// Changes something; sent twice it may do so twice.
    UnkeyedWrite,
}

/// An answer that arrived whole and is neither a limit, nor a refusal of our credentials, nor a server's error.
#[derive(Debug, Clone)]
pub struct Answer {
    /// 2xx, 3xx or 4xx.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    effect: Effect,
}

impl Answer {
    /// Reads the body as JSON. An unreadable answer to an unkeyed write is ambiguous: it may have taken effect.
    ///
    /// # Errors
    /// [`Failure::Ambiguous`] or [`Failure::Malformed`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| self.unreadable(&error.to_string()))
    }

    /// The failure for an answer whose meaning cannot be told.
    pub fn unreadable(&self, problem: &str) -> Failure {
        let message = format!("HTTP {}: the answer cannot be read: {problem}", self.status.as_u16());
        match self.effect {
            Effect::UnkeyedWrite => Failure::Ambiguous { message },
            // It may be sent again, so it is: a proxy's page between us and the vendor passes.
            Effect::IdempotentWrite => Failure::Transient { message },
            Effect::Read => Failure::malformed(message, &self.body),
        }
    }
}

/// How the vendor says "wait". Seconds in `Retry-After` are understood for all.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(10);
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// A client for one system. Redirects are off: a vendor's API that redirects is misconfigured or not the vendor.
#[derive(Debug, Clone)]
pub struct HttpClient {
    inner: reqwest::Client,
    base_url: String,
    headers: HeaderMap,
    default_wait: Duration,
    wait_reader: Option<WaitReader>,
    gate: Option<Arc<dyn Gate>>,
}

/// Reads how long to wait out of the headers and the body of a 429 without `Retry-After`; `None` if they do not say.
pub type WaitReader = fn(&HeaderMap, &[u8]) -> Option<Duration>;

impl HttpClient {
    /// A client for `base_url` (scheme, host, optional path, no trailing slash needed). `timeout` bounds each whole
    /// call; it must stay under half of the engine's lease (60 s).
    ///
    /// # Errors
    /// [`Failure::Rejected`] with code `settings` if the TLS set-up fails or the URL is not http(s).
    pub fn new(base_url: &str, timeout: Duration) -> Result<Self, Failure> {
        let url = reqwest::Url::parse(base_url)
            .map_err(|error| Failure::rejected("settings", "url", format!("'{base_url}' is not a URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Failure::rejected("settings", "url", format!("'{base_url}' must begin with https://")));
        }
        let inner = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeout.min(Duration::from_secs(5)))
            .timeout(timeout)
            .pool_max_idle_per_host(8)
            .user_agent(concat!("waybill/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Failure::rejected("settings", "url", chain(&error)))?;
        Ok(Self {
            inner,
            base_url: base_url.trim_end_matches('/').to_owned(),
            headers: HeaderMap::new(),
            default_wait: DEFAULT_RETRY_AFTER,
            wait_reader: None,
            gate: None,
        })
    }

    /// How long to wait after a 429 that does not say it, for a vendor whose documents do.
    #[must_use]
    pub const fn with_default_wait(mut self, wait: Duration) -> Self {
        self.default_wait = wait;
        self
    }

    /// For a vendor whose 429 says in a way of its own how long to wait. `Retry-After` comes before it, the default
    /// wait after it.
    #[must_use]
    pub const fn with_wait_reader(mut self, reader: WaitReader) -> Self {
        self.wait_reader = Some(reader);
        self
    }

    /// Sends a header with every call. Mark secrets sensitive (`HeaderValue::set_sensitive`).
    #[must_use]
    pub fn with_header(mut self, name: header::HeaderName, value: header::HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Has every request pass a gate: `HttpClient::new(…)?.with_gate(settings.gate())`.
    #[must_use]
    pub fn with_gate(mut self, gate: Option<Arc<dyn Gate>>) -> Self {
        self.gate = gate;
        self
    }

    /// A request to `path` (beginning with `/`) with the client's headers.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.inner.request(method, format!("{}{path}", self.base_url)).headers(self.headers.clone())
    }

    /// Sends a request and tells what came of it.
    ///
    /// # Errors
    /// - past the deadline that [`crate::deadline::within`] sets: `Transient`, and no write is sent
    /// - connection not made: [`Failure::Transient`], whatever the effect: nothing was sent
    /// - cut, timed out or 5xx after that: [`Failure::Ambiguous`] for an unkeyed write, else `Transient`
    /// - 401: [`Failure::Unauthorized`]; 429: [`Failure::RateLimited`] by `Retry-After`, else as the vendor's
    ///   own reader says, else the default wait (10 s)
    ///
    /// Every other answer is returned, 403 and 404 included: what they mean differs between vendors.
    pub async fn send(&self, effect: Effect, request: RequestBuilder) -> Result<Answer, Failure> {
        let broken = |message: String| match effect {
            Effect::UnkeyedWrite => Failure::Ambiguous { message },
            Effect::Read | Effect::IdempotentWrite => Failure::Transient { message },
        };
        if let Some(gate) = &self.gate {
            gate.pass().await?;
        }
        if effect != Effect::Read {
            deadline::allows_a_write()?;
        }
        let response = request.send().await.map_err(|error| {
            if error.is_connect() || error.is_builder() {
                Failure::Transient { message: format!("no connection: {}", chain(&error)) }
            } else {
                broken(format!("no answer: {}", chain(&error)))
            }
        })?;
        if effect != Effect::Read {
            waybill_faults::crash_point("request-sent");
        }
        let status = response.status();
        let headers = response.headers().clone();
        if status == StatusCode::UNAUTHORIZED {
            return Err(Failure::Unauthorized { message: "HTTP 401: the credentials are refused".to_owned() });
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            let stated = match (retry_after(&headers), self.wait_reader) {
                (None, Some(reader)) => {
                    let body = self.body(response, &broken).await.unwrap_or_default();
                    reader(&headers, &body)
                }
                (stated, _) => stated,
            };
            return Err(Failure::RateLimited { retry_after: stated.unwrap_or(self.default_wait) });
        }
        if status.is_server_error() {
            return Err(broken(format!("HTTP {}", status.as_u16())));
        }
        let body = self.body(response, &broken).await?;
        Ok(Answer { status, headers, body, effect })
    }

    async fn body(
        &self,
        mut response: reqwest::Response,
        broken: &(dyn Fn(String) -> Failure + Sync),
    ) -> Result<Bytes, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| broken(format!("the answer was cut: {}", chain(&error))))?
        {
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(broken(format!("the answer is larger than {MAX_BODY_BYTES} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.into())
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.trim().parse::<f64>().ok())
        .filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
        .map(|seconds| Duration::from_secs_f64(seconds.min(86_400.0)))
}

/// An error with its causes, without the URL, which may hold ids.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    if text.is_empty() {
        text.push_str(if error.is_timeout() { "timed out" } else { "the request failed" });
    }
    text
}
