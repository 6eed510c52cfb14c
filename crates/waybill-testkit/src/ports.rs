//! Free ports on loopback.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context as _;

use crate::scratch::random_hex;

/// Below Linux's range for outgoing connections (32768 and up): a server that a test stops and
/// starts again must find its port still free, and a busy client would take one from that range.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port on 127.0.0.1 that nobody listens on now.
///
/// # Errors
/// When none of 100 tried is free.
pub fn free_port() -> anyhow::Result<u16> {
    for _ in 0..100 {
        let random = u16::from_str_radix(&random_hex(2)?, 16).context("reading random digits")?;
        let port = FIRST + random % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no free port found between {FIRST} and {}", FIRST + COUNT)
}
