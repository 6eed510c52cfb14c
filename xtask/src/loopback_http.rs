//! Enough of an HTTP client to ask our own processes on loopback whether they are ready.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
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

/// Asks with HTTP/1.0, so that the answer's body is neither chunked nor followed by another.
///
/// # Errors
/// When nobody listens, the answer takes over 5 s, or is not HTTP.
pub(crate) fn get(port: u16, path: &str) -> anyhow::Result<Answer> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&String::from_utf8_lossy(&answer)).context("not an HTTP answer")
}

/// Whether a path answers 2xx.
pub(crate) fn is_ok(port: u16, path: &str) -> bool {
    get(port, path).is_ok_and(|answer| (200..300).contains(&answer.status))
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut words = head.split_whitespace();
    words.next()?.strip_prefix("HTTP/1.")?;
    Some(Answer {
        status: words.next()?.parse().ok()?,
        body: body.to_owned(),
    })
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
