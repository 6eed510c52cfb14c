//! What happens to connections on the way to NATS.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use waybill_bus::{Bus, Outgoing};
use waybill_testkit::{PrivateNats, Proxy, wait_for_async};

use crate::{DEADLINE, message, orders_of_erp_sync, road};

/// A silent server is noticed by its third ping, and then another node has to be found.
const NOTICED_WITHIN: Duration = Duration::from_secs(40);

fn through(nats: &PrivateNats) -> Proxy {
    Proxy::start(SocketAddr::from(([127, 0, 0, 1], nats.port()))).unwrap()
}

fn url(proxy: &Proxy) -> String {
    format!("nats://{}", proxy.address())
}

async fn say(bus: &Bus, message: Outgoing) -> bool {
    bus.publish(vec![message]).await.iter().all(Result::is_ok)
}

#[tokio::test]
async fn an_answer_that_is_cut_does_not_end_the_hearing() {
    let Some((nats, speaker, _folder)) = road().await else { return };
    let proxy = through(&nats);
    let bus = Bus::connect(&url(&proxy), "admin", "").await.unwrap();
    wait_for_async("the connection", DEADLINE, async || bus.connected().then_some(())).await;
    let consumer = bus.consumer(&orders_of_erp_sync()).await.unwrap();
    let large = Outgoing { payload: vec![b'x'; 50_000].into(), ..message(2) };
    assert!(say(&speaker, message(1)).await && say(&speaker, large).await);
    // The first is fetched alone; the cut meets what is fetched with it.
    proxy.cut(1, 20_000);
    let fetched = tokio::time::timeout(DEADLINE, Bus::fetch(&consumer, 100, Duration::from_secs(2))).await;
    let subjects: Vec<_> = fetched.expect("it ends").unwrap().iter().map(|one| one.subject().to_owned()).collect();
    assert_eq!(subjects, ["store.v1.order.main.1"]);
    assert_eq!(proxy.struck(), 1);
}

#[tokio::test]
async fn a_question_that_is_lost_is_not_waited_for_longer_than_it_was_to_take() {
    let Some((nats, _speaker, _folder)) = road().await else { return };
    let proxy = through(&nats);
    let bus = Bus::connect(&url(&proxy), "admin", "").await.unwrap();
    wait_for_async("the connection", DEADLINE, async || bus.connected().then_some(())).await;
    let consumer = bus.consumer(&orders_of_erp_sync()).await.unwrap();
    proxy.silence();
    let since = Instant::now();
    assert_eq!(Bus::fetch(&consumer, 100, Duration::from_secs(1)).await.unwrap().len(), 0);
    assert!(since.elapsed() < Duration::from_secs(4), "it took {:?}", since.elapsed());
}

#[tokio::test]
async fn a_node_that_falls_silent_is_left_for_another() {
    let Some((nats, _speaker, _folder)) = road().await else { return };
    let (one, other) = (through(&nats), through(&nats));
    other.silence();
    let bus = Bus::connect(&format!("{}, {}", url(&one), url(&other)), "admin", "").await.unwrap();
    wait_for_async("the connection", DEADLINE, async || bus.connected().then_some(())).await;
    assert!(say(&bus, message(1)).await);
    other.lift();
    one.silence();
    wait_for_async("word from the other", NOTICED_WITHIN, async || say(&bus, message(2)).await.then_some(())).await;
}
