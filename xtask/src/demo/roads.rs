//! The roads between the services and what they speak with, where each leads through a proxy.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use waybill_testkit::Proxy;

/// How all addresses here begin.
const LOOPBACK: &str = "127.0.0.1:";

/// A proxy in the road to a server, a vendor or a service.
#[derive(Debug)]
pub(crate) struct Road {
    /// Where it leads.
    pub(crate) name: String,
    pub(crate) proxy: Proxy,
}

/// All proxies of a run; without proxies, every road is the straight one.
#[derive(Debug, Default)]
pub(crate) struct Roads {
    is_straight: bool,
    all: Vec<Road>,
}

impl Roads {
    pub(crate) fn straight() -> Self {
        Self { is_straight: true, all: Vec::new() }
    }

    pub(crate) fn all(&self) -> &[Road] {
        &self.all
    }

    /// The same URL, of a place on loopback, by a road of its own.
    ///
    /// # Errors
    /// When it has no port on loopback, or no proxy can be started.
    pub(crate) fn to(&mut self, name: &str, url: &str) -> anyhow::Result<String> {
        if self.is_straight {
            return Ok(url.to_owned());
        }
        // The URL is not repeated: it may have a password.
        let (before, port, after) = split(url).with_context(|| format!("the way to {name} is not on loopback"))?;
        let proxy = Proxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        let through = format!("{before}{}{after}", proxy.address());
        self.all.push(Road { name: name.to_owned(), proxy });
        Ok(through)
    }
}

/// What stands before the address, its port, and what follows.
fn split(url: &str) -> Option<(&str, u16, &str)> {
    let (before, rest) = url.split_once(LOOPBACK)?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    Some((before, rest[..end].parse().ok()?, &rest[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_an_url_differs_on_a_road() {
        let mut roads = Roads::default();
        let through = roads.to("postgres", "postgres://user:secret@127.0.0.1:20001/waybill").expect("a road");
        let at = roads.all()[0].proxy.address();
        assert_eq!(through, format!("postgres://user:secret@{at}/waybill"));
    }

    #[test]
    fn what_is_not_on_loopback_has_no_road_and_no_secret_is_told() {
        let error = Roads::default().to("crm", "https://secret@api.example.com").expect_err("no port").to_string();
        assert!(error.contains("crm") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn a_straight_road_is_the_url_itself() {
        let url = "nats://127.0.0.1:4222";
        let mut roads = Roads::straight();
        assert_eq!(roads.to("nats", url).expect("as it is"), url);
        assert!(roads.all().is_empty());
    }
}
