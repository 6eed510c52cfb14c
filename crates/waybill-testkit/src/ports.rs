//! Free ports on loopback.

use std::{
    net::{Ipv4Addr, TcpListener},
    ops::Range,
    sync::{Mutex, PoisonError},
};

use anyhow::Context as _;

use crate::scratch::random_hex;

/// Below Linux's range for outgoing connections (32768 and up): a server that a test stops and
/// starts again must find its port still free, and a busy client would take one from that range.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;
/// A process has so many for itself at a time.
const BLOCK: u16 = 100;

/// Ports that are this process's: it listens on each block's first for as long as it runs, which keeps others away from
/// the block. Two stacks that start at once would else choose the same port before either listens there.
struct Blocks {
    guards: Vec<TcpListener>,
    left: Range<u16>,
}

static BLOCKS: Mutex<Blocks> = Mutex::new(Blocks { guards: Vec::new(), left: 0..0 });

/// A port on 127.0.0.1 that nobody listens on now, and that neither this process nor another one is given as well.
///
/// # Errors
/// When none of some hundreds tried is free.
pub fn free_port() -> anyhow::Result<u16> {
    let mut blocks = BLOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..5 * BLOCK {
        if let Some(port) = blocks.left.next() {
            if listen(port).is_some() {
                return Ok(port);
            }
            continue;
        }
        let random = u16::from_str_radix(&random_hex(2)?, 16).context("reading random digits")?;
        let first = FIRST + random % (COUNT / BLOCK) * BLOCK;
        if let Some(guard) = listen(first) {
            blocks.guards.push(guard);
            blocks.left = first + 1..first + BLOCK;
        }
    }
    anyhow::bail!("no free port found between {FIRST} and {}", FIRST + COUNT)
}

fn listen(port: u16) -> Option<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{BLOCK, free_port, listen};

    #[test]
    fn no_port_is_given_twice_and_others_are_kept_away_from_all_of_them() {
        let ports: Vec<u16> = (0..3 * BLOCK).map(|_| free_port().unwrap()).collect();
        let distinct: BTreeSet<u16> = ports.iter().copied().collect();
        assert_eq!(distinct.len(), ports.len());
        for port in ports {
            assert!(listen(port / BLOCK * BLOCK).is_none(), "the block of {port} can be taken");
            assert!(listen(port).is_some(), "{port} is not free");
        }
    }
}
