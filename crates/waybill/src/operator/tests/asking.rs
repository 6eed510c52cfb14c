//! What `waybill up` asks where it runs.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use console::services::Services;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use waybill_testkit::wait_for_async;

use super::{
    people::People,
    suite::{Suite, TOKEN},
};
use crate::operator::asking;

const SHORT: Duration = Duration::from_millis(20);
const DEADLINE: Duration = Duration::from_secs(20);
const MESSAGE: &str = "would create 2,431 records; `waybill release crm` lets them go";

/// A screen that can be looked at.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    async fn until(&self, expected: &str) {
        wait_for_async(expected, DEADLINE, async || self.text().contains(expected).then_some(())).await;
    }
}

fn services(suite: &Suite) -> Services {
    let peers = suite.peers();
    let peers = peers.split(',').map(|pair| pair.split_once('=').unwrap());
    let peers = peers.map(|(service, url)| (service.to_owned(), url.to_owned())).collect();
    Services::new(&peers, &TOKEN.to_owned().into()).unwrap()
}

/// A person sits where `up` runs beside a system that asks, has typed something before, and answers so.
async fn answering(answer: &str) -> (Suite, String) {
    let suite = Suite::default().for_people(People::default().first_run_of("crm", MESSAGE)).start().await;
    let services = services(&suite);
    let (keyboard, typed) = mpsc::channel(9);
    let (screen, stop) = (Screen::default(), CancellationToken::new());
    keyboard.send("y".to_owned()).await.unwrap();
    let asking = tokio::spawn(asking::ask(services, typed, screen.clone(), SHORT, stop.clone()));
    screen.until("[y/N]").await;
    keyboard.send(answer.to_owned()).await.unwrap();
    let looks = suite.people().looks();
    wait_for_async("a few looks more", DEADLINE, async || (suite.people().looks() > looks + 3).then_some(())).await;
    stop.cancel();
    asking.await.unwrap().unwrap();
    (suite, screen.text())
}

#[tokio::test]
async fn a_yes_releases_the_system() {
    let (suite, text) = answering("y").await;
    assert!(text.contains(&format!("crm {MESSAGE}\nlet them go? [y/N] they go\n")), "{text}");
    assert_eq!(suite.changes(), ["release crm answered where waybill up runs"]);
}

#[tokio::test]
async fn anything_else_leaves_it_waiting_and_is_not_asked_again() {
    let (suite, text) = answering("").await;
    assert!(text.contains("they wait; `waybill release crm` lets them go"), "{text}");
    assert_eq!(text.matches("[y/N]").count(), 1, "{text}");
    assert!(suite.changes().is_empty());
}

#[tokio::test]
async fn it_stops_while_nobody_answers() {
    let suite = Suite::default().for_people(People::default().first_run_of("crm", MESSAGE)).start().await;
    let services = services(&suite);
    let (_keyboard, typed) = mpsc::channel(1);
    let (screen, stop) = (Screen::default(), CancellationToken::new());
    let asking = tokio::spawn(asking::ask(services, typed, screen.clone(), SHORT, stop.clone()));
    screen.until("[y/N]").await;
    stop.cancel();
    tokio::time::timeout(DEADLINE, asking).await.expect("an end").unwrap().unwrap();
}
