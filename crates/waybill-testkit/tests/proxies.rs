//! The road's faults, felt by a client.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use waybill_testkit::{Proxy, wait_for};

const WITHIN: Duration = Duration::from_secs(10);
/// Long against what loopback takes.
const DELAY: Duration = Duration::from_millis(150);
const ANSWER: &[u8] = b"an answer of 22 bytes.";

/// Answers each of its clients' bytes with [`ANSWER`].
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut question = [0];
                while client.read_exact(&mut question).is_ok() && client.write_all(ANSWER).is_ok() {}
            });
        }
    });
    at
}

fn client(of: &Proxy) -> TcpStream {
    let client = TcpStream::connect(of.address()).expect("the proxy listens");
    client.set_read_timeout(Some(WITHIN)).expect("a read time-out");
    client
}

fn ask(client: &mut TcpStream) {
    client.write_all(b"?").expect("a question is sent");
}

fn answer(client: &mut TcpStream) -> Vec<u8> {
    let mut answer = vec![0; ANSWER.len()];
    client.read_exact(&mut answer).expect("an answer");
    answer
}

/// Reads to the end; a connection that is reset has ended too.
fn rest(client: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    match client.read_to_end(&mut rest) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("the connection stays open: {error}"),
        _ => rest,
    }
}

#[test]
fn bytes_pass_both_ways_and_so_does_the_end() {
    let proxy = Proxy::start(server()).unwrap();
    let mut client = client(&proxy);
    for _ in 0..3 {
        ask(&mut client);
        assert_eq!(answer(&mut client), ANSWER);
    }
    client.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(rest(&mut client), b"");
    assert_eq!(proxy.struck(), 0);
}

#[test]
fn latency_is_felt_on_the_way_there_and_back_until_it_is_lifted() {
    let proxy = Proxy::start(server()).unwrap();
    let mut client = client(&proxy);
    let mut took = || {
        let start = Instant::now();
        ask(&mut client);
        assert_eq!(answer(&mut client), ANSWER);
        start.elapsed()
    };
    proxy.slow(DELAY);
    assert!(took() >= DELAY * 2);
    assert_eq!(proxy.struck(), 2);
    // Who waits when it is lifted waits no longer.
    proxy.slow(WITHIN * 10);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_for("a question on its way", WITHIN, || (proxy.struck() == 3).then_some(()));
            proxy.lift();
        });
        assert!(took() < WITHIN);
    });
}

#[test]
fn a_cut_leaves_the_beginning_of_an_answer_and_strikes_so_often_as_it_was_told_to() {
    let proxy = Proxy::start(server()).unwrap();
    let mut early = client(&proxy);
    ask(&mut early);
    assert_eq!(answer(&mut early), ANSWER);
    proxy.cut(2, 9);
    for mut client in [early, client(&proxy)] {
        ask(&mut client);
        assert_eq!(rest(&mut client), b"an answer");
    }
    let mut spared = client(&proxy);
    ask(&mut spared);
    assert_eq!(answer(&mut spared), ANSWER);
    assert_eq!(proxy.struck(), 2);
}

#[test]
fn an_answer_that_is_shorter_than_the_cut_comes_through() {
    let proxy = Proxy::start(server()).unwrap();
    proxy.cut(1, ANSWER.len());
    let mut client = client(&proxy);
    for _ in 0..2 {
        ask(&mut client);
        assert_eq!(answer(&mut client), ANSWER);
    }
    assert_eq!(proxy.struck(), 0);
}

#[test]
fn a_half_open_connection_neither_answers_nor_closes_and_is_dropped_in_the_end() {
    let proxy = Proxy::start(server()).unwrap();
    let mut before = client(&proxy);
    ask(&mut before);
    assert_eq!(answer(&mut before), ANSWER);
    proxy.silence();
    let mut later = client(&proxy);
    for client in [&mut before, &mut later] {
        ask(client);
        client.set_read_timeout(Some(DELAY)).unwrap();
        let heard = client.read(&mut [0]).map_err(|error| error.kind());
        assert!(matches!(heard, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{heard:?}");
        client.set_read_timeout(Some(WITHIN)).unwrap();
    }
    proxy.lift();
    for client in [&mut before, &mut later] {
        assert_eq!(rest(client), b"");
    }
    let mut after = client(&proxy);
    ask(&mut after);
    assert_eq!(answer(&mut after), ANSWER);
}

#[test]
fn a_connection_that_the_road_forgot_is_half_open_while_a_new_one_passes() {
    let proxy = Proxy::start(server()).unwrap();
    let mut before = client(&proxy);
    ask(&mut before);
    assert_eq!(answer(&mut before), ANSWER);
    proxy.forget();
    ask(&mut before);
    let mut after = client(&proxy);
    ask(&mut after);
    assert_eq!(answer(&mut after), ANSWER);
    before.set_read_timeout(Some(DELAY)).unwrap();
    let heard = before.read(&mut [0]).map_err(|error| error.kind());
    assert!(matches!(heard, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{heard:?}");
    before.set_read_timeout(Some(WITHIN)).unwrap();
    proxy.lift();
    assert_eq!(rest(&mut before), b"");
    ask(&mut after);
    assert_eq!(answer(&mut after), ANSWER);
}

#[test]
fn where_nobody_listens_the_client_is_hung_up_on() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::start(nobody).unwrap();
    assert_eq!(rest(&mut client(&proxy)), b"");
}

#[test]
fn nothing_is_left_of_a_proxy_that_is_dropped() {
    let proxy = Proxy::start(server()).unwrap();
    let mut client = client(&proxy);
    ask(&mut client);
    assert_eq!(answer(&mut client), ANSWER);
    let at = proxy.address();
    drop(proxy);
    assert_eq!(rest(&mut client), b"");
    wait_for("its port to be free", WITHIN, || TcpListener::bind(at).is_ok().then_some(()));
}
