//! Questions to a NATS server, without an asynchronous client.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::Context as _;

use crate::nats::PrivateNats;

/// Enough of a NATS client for one question after the other.
#[derive(Debug)]
pub struct PlainNats {
    lines: BufReader<TcpStream>,
}

impl PlainNats {
    /// Connects with these options, as the protocol's `CONNECT` has them: `{}` for none. An answer may take `within`.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn connect(nats: &PrivateNats, options: &str, within: Duration) -> anyhow::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, nats.port()))?;
        stream.set_read_timeout(Some(within))?;
        let mut client = Self { lines: BufReader::new(stream) };
        client.line()?;
        client.send(&format!("CONNECT {options}\r\nSUB inbox 1\r\nPING\r\n"))?;
        Ok(client)
    }

    /// The answer's body. One that comes too late would be taken for the next one's: after an error, connect anew.
    ///
    /// # Errors
    /// When there is no answer in time, a refusal, or one that is no JSON.
    pub fn request(&mut self, subject: &str, body: &str) -> anyhow::Result<serde_json::Value> {
        self.send(&format!("PUB {subject} inbox {}\r\n{body}\r\n", body.len()))?;
        loop {
            let line = self.line().with_context(|| format!("the answer to {subject}"))?;
            anyhow::ensure!(!line.is_empty() && !line.starts_with("-ERR"), "{line}");
            if line.starts_with("MSG") {
                return Ok(serde_json::from_str(&self.line()?)?);
            }
        }
    }

    fn send(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.lines.get_mut().write_all(text.as_bytes())?)
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}
