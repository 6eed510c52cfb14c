//! The road on a real NATS server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[cfg(test)]
mod faults;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;
use waybill_bus::{Bus, Fetcher, Outgoing, topology};
use waybill_testkit::{PrivateNats, ScratchFolder, missing_programs, skip_or_fail, wait_for_async};

const DEADLINE: Duration = Duration::from_secs(20);

async fn road() -> Option<(PrivateNats, Bus, ScratchFolder)> {
    if !missing_programs().is_empty() {
        skip_or_fail("nats-server is not installed; cargo xtask test installs it");
        return None;
    }
    let folder = ScratchFolder::new("bus").unwrap();
    let nats = PrivateNats::start(folder.path().join("nats"), None).unwrap();
    let bus = Bus::connect(&nats.url(), "admin", "").await.unwrap();
    wait_for_async("the connection", DEADLINE, async || bus.connected().then_some(())).await;
    topology::ensure(bus.context(), Some(1)).await.unwrap();
    Some((nats, bus, folder))
}

fn message(number: usize) -> Outgoing {
    Outgoing {
        subject: format!("store.v1.order.main.{number}"),
        headers: vec![("Nats-Msg-Id".to_owned(), number.to_string())],
        payload: number.to_string().into_bytes().into(),
    }
}

fn orders_of_erp_sync() -> topology::Hears {
    topology::hears().into_iter().find(|hears| hears.durable == "erp-sync-order").unwrap()
}

async fn fetcher(bus: &Bus) -> Fetcher {
    Fetcher::new(bus.clone(), bus.consumer(&orders_of_erp_sync()).await.unwrap())
}

#[tokio::test]
async fn a_trickle_is_heard_at_once_and_each_message_once() {
    let Some((_nats, bus, _folder)) = road().await else { return };
    let mut fetcher = fetcher(&bus).await;
    const COUNT: usize = 600;
    let speaker = bus.clone();
    let said = tokio::spawn(async move {
        let mut said = Vec::new();
        let mut pace = tokio::time::interval(Duration::from_millis(7));
        for number in 0..COUNT {
            pace.tick().await;
            said.push(Instant::now());
            // Now and then a burst, and now and then a pause longer than a fetch waits.
            if number % 97 == 0 {
                pace.reset_after(Duration::from_millis(230));
            }
            for outcome in speaker.publish(vec![message(number)]).await {
                outcome.unwrap();
            }
        }
        said
    });
    let mut heard: HashMap<usize, Instant> = HashMap::new();
    let mut twice = 0;
    let began = Instant::now();
    while heard.len() < COUNT && began.elapsed() < Duration::from_secs(25) {
        let messages = fetcher.fetch(500, Duration::from_millis(200), &CancellationToken::new()).await.unwrap();
        for message in &messages {
            let number: usize = std::str::from_utf8(message.payload()).unwrap().parse().unwrap();
            twice += usize::from(heard.insert(number, Instant::now()).is_some());
        }
        bus.acknowledge(&messages).await.unwrap();
    }
    let said = said.await.unwrap();
    assert_eq!(heard.len(), COUNT, "some were not heard before their redelivery");
    assert_eq!(twice, 0);
    let slowest = said.iter().enumerate().map(|(number, said)| heard[&number] - *said).max().unwrap();
    assert!(slowest < Duration::from_secs(2), "the slowest took {slowest:?}");
}
