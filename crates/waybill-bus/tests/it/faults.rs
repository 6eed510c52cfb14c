//! What happens to connections on the way to NATS.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;
use waybill_bus::{Bus, BusError, Incoming, Outgoing, PullConsumer};
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

async fn fetch(consumer: &PullConsumer, seconds: u64) -> Result<Vec<Incoming>, BusError> {
    Bus::fetch(consumer, 100, Duration::from_secs(seconds), &CancellationToken::new()).await
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
    let fetched = tokio::time::timeout(DEADLINE, fetch(&consumer, 2)).await;
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
    assert_eq!(fetch(&consumer, 1).await.unwrap().len(), 0);
    assert!(since.elapsed() < Duration::from_secs(7), "it took {:?}", since.elapsed());
}

#[tokio::test]
async fn a_message_that_is_long_on_its_way_is_still_waited_for() {
    let Some((nats, speaker, _folder)) = road().await else { return };
    let proxy = through(&nats);
    let bus = Bus::connect(&url(&proxy), "admin", "").await.unwrap();
    wait_for_async("the connection", DEADLINE, async || bus.connected().then_some(())).await;
    let consumer = bus.consumer(&orders_of_erp_sync()).await.unwrap();
    proxy.slow(Duration::from_millis(1500));
    let said = async {
        let mut seen = speaker.consumer(&orders_of_erp_sync()).await.unwrap();
        wait_for_async("the question to be there", DEADLINE, async || {
            (seen.info().await.unwrap().num_waiting == 1).then_some(())
        })
        .await;
        assert!(say(&speaker, message(1)).await);
    };
    let (fetched, ()) = futures::join!(fetch(&consumer, 1), said);
    // One that nobody waits for comes again half a minute later.
    assert_eq!(fetched.unwrap().len(), 1);
}

#[tokio::test]
async fn who_is_told_to_stop_takes_what_has_begun_to_come_and_waits_for_nothing_else() {
    let Some((nats, speaker, _folder)) = road().await else { return };
    let proxy = through(&nats);
    let bus = Bus::connect(&url(&proxy), "admin", "").await.unwrap();
    wait_for_async("the connection", DEADLINE, async || bus.connected().then_some(())).await;
    let consumer = bus.consumer(&orders_of_erp_sync()).await.unwrap();
    let stop = CancellationToken::new();
    for number in 1..=3 {
        assert!(say(&speaker, message(number)).await);
    }
    proxy.slow(Duration::from_millis(500));
    let stopped = async {
        let mut seen = speaker.consumer(&orders_of_erp_sync()).await.unwrap();
        // The first was taken then, and what follows it was asked for and is on its way.
        wait_for_async("all three to be sent", DEADLINE, async || {
            (seen.info().await.unwrap().num_ack_pending == 3).then_some(())
        })
        .await;
        stop.cancel();
    };
    let (fetched, ()) = futures::join!(Bus::fetch(&consumer, 100, Duration::from_secs(2), &stop), stopped);
    assert_eq!(fetched.unwrap().len(), 3);
    let since = Instant::now();
    assert_eq!(Bus::fetch(&consumer, 100, Duration::from_secs(2), &stop).await.unwrap().len(), 0);
    assert!(since.elapsed() < Duration::from_secs(1));
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
