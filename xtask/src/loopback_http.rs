//! Enough of an HTTP client to ask our own processes on loopback.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context as _;

/// A process that does not answer within this is not ready.
const TIMEOUT: Duration = Duration::from_secs(5);

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    /// Whether it is 2xx.
    pub(crate) fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Asks for a path at `http://127.0.0.1:<port>`.
///
/// # Errors
/// When nobody listens, the answer takes over 5 s, or is not HTTP.
pub(crate) fn get(base: &str, path: &str) -> anyhow::Result<Answer> {
    ask("GET", base, path, "")
}

/// Posts nothing to a path.
///
/// # Errors
/// As [`get`].
pub(crate) fn post(base: &str, path: &str) -> anyhow::Result<Answer> {
    ask("POST", base, path, "")
}

/// Posts JSON to a path.
///
/// # Errors
/// As [`get`].
pub(crate) fn post_json(base: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
    ask("POST", base, path, body)
}

/// # Errors
/// As [`get`].
pub(crate) fn delete(base: &str, path: &str) -> anyhow::Result<Answer> {
    ask("DELETE", base, path, "")
}

/// Speaks HTTP/1.0, so that the answer's body is neither chunked nor followed by another.
fn ask(method: &str, base: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
    let address: SocketAddr = base
        .strip_prefix("http://")
        .and_then(|address| address.trim_end_matches('/').parse().ok())
        .with_context(|| format!("{base} is not of the form http://127.0.0.1:<port>"))?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let headers = format!("Host: {address}\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
    write!(stream, "{method} {path} HTTP/1.0\r\n{headers}\r\n\r\n{body}")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&String::from_utf8_lossy(&answer)).context("not an HTTP answer")
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut words = head.split_whitespace();
    words.next()?.strip_prefix("HTTP/1.")?;
    Some(Answer { status: words.next()?.parse().ok()?, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = parse("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        let body = "{}".to_owned();
        assert_eq!(answer, Some(Answer { status: 200, body }));
    }

    #[test]
    fn something_else_is_no_answer() {
        assert_eq!(parse("INFO {\"server_id\":1}\r\n\r\n"), None);
        assert_eq!(parse("HTTP/1.1"), None);
    }
}
