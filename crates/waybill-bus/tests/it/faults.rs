//! What happens to connections on the way to NATS.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;
use waybill_bus::{Bus, BusError, Fetcher, Incoming, Outgoing};
use waybill_testkit::{PrivateNats, Proxy, wait_for_async};

use crate::{DEADLINE, fetcher, message, orders_of_erp_sync, road};

/// A silent server is noticed by its third ping, and then another node has to be found.
const NOTICED_WITHIN: Duration = Duration::from_secs(40);

fn through(nats: &PrivateNats) -> Proxy {
    Proxy::start(SocketAddr::from(([127, 0, 0, 1], nats.port()))).unwrap()
}

fn url(proxy: &Proxy) -> String {
    format!("nats://{}", proxy.address())
}

/// Connected on a road that can be spoilt, and about to ask.
async fn hearer(proxy: &Proxy) -> Fetcher {
    let bus = Bus::connect(&url(proxy), "admin", "").await.unwrap();
    wait_for_async("the connection", DEADLINE, async || bus.connected().then_some(())).await;
    fetcher(&bus).await
}

async fn fetch(fetcher: &mut Fetcher, wait: Duration) -> Result<Vec<Incoming>, BusError> {
    fetcher.fetch(100, wait, &CancellationToken::new()).await
}

const SECOND: Duration = Duration::from_secs(1);

async fn say(bus: &Bus, message: Outgoing) -> bool {
    bus.publish(vec![message]).await.iter().all(Result::is_ok)
}

#[tokio::test]
async fn an_answer_that_is_cut_does_not_end_the_hearing() {
    let Some((nats, speaker, _folder)) = road().await else { return };
    let proxy = through(&nats);
    let mut fetcher = hearer(&proxy).await;
    let large = Outgoing { payload: vec![b'x'; 50_000].into(), ..message(2) };
    assert!(say(&speaker, message(1)).await && say(&speaker, large).await);
    // The first is fetched alone; the cut meets what is fetched with it.
    proxy.cut(1, 20_000);
    let fetched = tokio::time::timeout(DEADLINE, fetch(&mut fetcher, 2 * SECOND)).await;
    let subjects: Vec<_> = fetched.expect("it ends").unwrap().iter().map(|one| one.subject().to_owned()).collect();
    assert_eq!(subjects, ["store.v1.order.main.1"]);
    assert_eq!(proxy.struck(), 1);
}

#[tokio::test]
async fn a_question_that_is_lost_is_not_waited_for_longer_than_it_was_to_take() {
    let Some((nats, _speaker, _folder)) = road().await else { return };
    let proxy = through(&nats);
    let mut fetcher = hearer(&proxy).await;
    proxy.silence();
    let since = Instant::now();
    assert_eq!(fetch(&mut fetcher, SECOND).await.unwrap().len(), 0);
    assert!(since.elapsed() < Duration::from_millis(1500), "it took {:?}", since.elapsed());
}

/// Has a message said in answer to a question whose time will be over when the answer comes.
async fn answered_late(busy: Duration) {
    let Some((nats, speaker, _folder)) = road().await else { return };
    let proxy = through(&nats);
    let mut fetcher = hearer(&proxy).await;
    proxy.slow(Duration::from_millis(1500));
    let said = async {
        let mut seen = speaker.consumer(&orders_of_erp_sync()).await.unwrap();
        wait_for_async("the question to be there", DEADLINE, async || {
            (seen.info().await.unwrap().num_waiting == 1).then_some(())
        })
        .await;
        assert!(say(&speaker, message(1)).await);
    };
    let heard = async {
        assert_eq!(fetch(&mut fetcher, SECOND).await.unwrap().len(), 0);
        tokio::time::sleep(busy).await;
        let again = async { while fetch(&mut fetcher, SECOND).await.unwrap().is_empty() {} };
        // One that nobody waits for comes again half a minute later.
        tokio::time::timeout(Duration::from_secs(10), again).await.expect("it was waited for");
    };
    futures::join!(said, heard);
}

#[tokio::test]
async fn a_message_that_is_long_on_its_way_is_still_waited_for() {
    answered_late(Duration::ZERO).await;
}

#[tokio::test]
async fn a_message_that_comes_while_its_hearer_is_busy_is_heard_when_he_asks_again() {
    answered_late(Duration::from_secs(7)).await;
}

#[tokio::test]
async fn a_message_that_came_while_its_hearer_was_busy_is_heard_though_he_is_told_to_stop() {
    let Some((nats, speaker, _folder)) = road().await else { return };
    let proxy = through(&nats);
    let mut fetcher = hearer(&proxy).await;
    proxy.slow(Duration::from_millis(1500));
    assert_eq!(fetch(&mut fetcher, SECOND).await.unwrap().len(), 0);
    let mut seen = speaker.consumer(&orders_of_erp_sync()).await.unwrap();
    wait_for_async("the question to be there", DEADLINE, async || {
        (seen.info().await.unwrap().num_waiting == 1).then_some(())
    })
    .await;
    assert!(say(&speaker, message(1)).await);
    wait_for_async("the answer to be sent", DEADLINE, async || {
        (seen.info().await.unwrap().num_ack_pending == 1).then_some(())
    })
    .await;
    let stop = CancellationToken::new();
    stop.cancel();
    wait_for_async("the answer to come", DEADLINE, async || {
        (fetcher.fetch(100, SECOND, &stop).await.unwrap().len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_takes_long_to_come_comes_whole_and_once() {
    const COUNT: usize = 400;
    let Some((nats, speaker, _folder)) = road().await else { return };
    let proxy = through(&nats);
    let mut fetcher = hearer(&proxy).await;
    for number in 0..COUNT {
        let large = Outgoing { payload: vec![b'x'; 60_000].into(), ..message(number) };
        assert!(say(&speaker, large).await);
    }
    // Some 400 pieces, one after another.
    proxy.slow(Duration::from_millis(20));
    let mut subjects = Vec::new();
    let all = async {
        while subjects.len() < COUNT {
            let fetched = fetcher.fetch(500, SECOND, &CancellationToken::new()).await.unwrap();
            subjects.extend(fetched.iter().map(|one| one.subject().to_owned()));
        }
    };
    // What was not listened for any more comes again after half a minute.
    tokio::time::timeout(Duration::from_secs(25), all).await.expect("all of it was listened for");
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), COUNT);
}

#[tokio::test]
async fn nothing_is_asked_where_nobody_can_answer() {
    let Some((nats, _speaker, _folder)) = road().await else { return };
    let bus = Bus::connect(&nats.url(), "admin", "").await.unwrap();
    wait_for_async("the connection", DEADLINE, async || bus.connected().then_some(())).await;
    let mut fetcher = fetcher(&bus).await;
    drop(nats);
    wait_for_async("the connection to be lost", DEADLINE, async || (!bus.connected()).then_some(())).await;
    let error = fetch(&mut fetcher, SECOND).await.unwrap_err();
    assert_eq!(error.to_string(), "NATS: not connected");
}

#[tokio::test]
async fn who_is_told_to_stop_takes_what_has_begun_to_come_and_waits_for_nothing_else() {
    let Some((nats, speaker, _folder)) = road().await else { return };
    let proxy = through(&nats);
    let mut fetcher = hearer(&proxy).await;
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
    let (fetched, ()) = futures::join!(fetcher.fetch(100, 2 * SECOND, &stop), stopped);
    assert_eq!(fetched.unwrap().len(), 3);
    let since = Instant::now();
    assert_eq!(fetcher.fetch(100, 2 * SECOND, &stop).await.unwrap().len(), 0);
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
