//! A road between two processes that can be made slow, cut, or silent.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::ports::free_port;

/// Nobody on loopback takes longer to be connected to.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// What is passed on at once.
const PIECE_BYTES: usize = 64 * 1024;
/// Ports are looked up before they are bound, so another program may be faster.
const PORT_TRIES: u32 = 5;

/// What becomes of bytes that are under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Road {
    Clear,
    /// Every piece waits for so long, either way.
    Slow(Duration),
    /// Every piece vanishes, and so does the news that a side has closed.
    Silent,
}

/// What all threads of a proxy share.
#[derive(Debug)]
struct State {
    road: Road,
    /// Connections before this number are silent whatever the road is.
    forgotten: u64,
    /// The number of the next connection.
    next: u64,
    /// So many answers are cut, each after so many bytes of it.
    cuts: (u32, usize),
    /// Pieces that waited or vanished, and answers that were cut.
    struck: u64,
    /// Both sides of each open connection.
    open: BTreeMap<u64, [TcpStream; 2]>,
    is_over: bool,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens on loopback and passes on to another address whatever comes, as long as it is let. Ends all connections on drop.
///
/// Bytes are all that it knows: it stands in a road of any protocol.
#[derive(Debug)]
pub struct Proxy {
    at: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Stands in the road to this address, where nobody has to listen yet.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start(to: SocketAddr) -> anyhow::Result<Self> {
        let listener = bind()?;
        let at = listener.local_addr()?;
        let state = State {
            road: Road::Clear,
            forgotten: 0,
            next: 0,
            cuts: (0, 0),
            struck: 0,
            open: BTreeMap::new(),
            is_over: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let ours = Arc::clone(&shared);
        std::thread::Builder::new().name(format!("proxy to {to}")).spawn(move || listen(&listener, to, &ours))?;
        Ok(Self { at, shared })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.at
    }

    /// Every piece of bytes takes so much longer, either way.
    pub fn slow(&self, delay: Duration) {
        self.set(Road::Slow(delay));
    }

    /// Half-open: bytes vanish either way, nothing is closed, and who connects hears nothing.
    pub fn silence(&self) {
        self.set(Road::Silent);
    }

    /// What lies on the road has forgotten the connections that are open: they are half-open, and new ones pass.
    pub fn forget(&self) {
        let mut state = self.shared.state();
        state.forgotten = state.next;
        self.shared.changed.notify_all();
    }

    /// The next answers, `times` of them, end with their connection after `bytes` bytes; shorter ones come through.
    pub fn cut(&self, times: u32, bytes: usize) {
        self.shared.state().cuts = (times, bytes);
    }

    /// Bytes pass again. Connections that were open while bytes vanished are dropped, as nothing can be said on them.
    pub fn lift(&self) {
        let mut state = self.shared.state();
        state.cuts = (0, 0);
        let silent = if state.road == Road::Silent { state.next } else { state.forgotten };
        close_before(&mut state, silent);
        (state.road, state.forgotten) = (Road::Clear, 0);
        self.shared.changed.notify_all();
    }

    /// How many pieces waited or vanished and how many answers were cut, so far.
    pub fn struck(&self) -> u64 {
        self.shared.state().struck
    }

    fn set(&self, road: Road) {
        self.shared.state().road = road;
        self.shared.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.is_over = true;
        close_before(&mut state, u64::MAX);
        self.shared.changed.notify_all();
        drop(state);
        // Whoever listens is woken, and sees that it is over.
        let _ = TcpStream::connect_timeout(&self.at, CONNECT_WITHIN);
    }
}

fn bind() -> anyhow::Result<TcpListener> {
    let mut tries = 0;
    loop {
        tries += 1;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, free_port()?)) {
            Err(_) if tries < PORT_TRIES => {}
            outcome => return outcome.context("a port for a proxy"),
        }
    }
}

fn close_before(state: &mut State, number: u64) {
    let later = state.open.split_off(&number);
    for side in std::mem::replace(&mut state.open, later).into_values().flatten() {
        // It may have closed by itself.
        let _ = side.shutdown(Shutdown::Both);
    }
}

fn listen(listener: &TcpListener, to: SocketAddr, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.state().is_over {
            return;
        }
        let Ok(client) = client else { continue };
        let shared = Arc::clone(shared);
        // Without a thread for it the connection ends, as with a server that has no more.
        let _ = std::thread::Builder::new().spawn(move || {
            // What cannot be reached refuses the client, or hangs up on it.
            let _ = connect(client, to, &shared);
        });
    }
}

/// One connection, until both sides have closed or it is cut.
fn connect(client: TcpStream, to: SocketAddr, shared: &Arc<Shared>) -> std::io::Result<()> {
    if vanished(shared) {
        return Ok(());
    }
    let server = TcpStream::connect_timeout(&to, CONNECT_WITHIN)?;
    for side in [&client, &server] {
        side.set_nodelay(true)?;
    }
    let sides = [client.try_clone()?, server.try_clone()?];
    // Bytes of the answer to what was asked last.
    let answered = Arc::new(Mutex::new(0));
    let asking = (client.try_clone()?, server.try_clone()?);
    let number = {
        let mut state = shared.state();
        if state.is_over {
            return Ok(());
        }
        let number = state.next;
        state.next += 1;
        state.open.insert(number, sides);
        number
    };
    let asking = Way { number, from: asking.0, to: asking.1, is_answer: false };
    let answering = Way { number, from: server, to: client, is_answer: true };
    let (theirs, counted) = (Arc::clone(shared), Arc::clone(&answered));
    let asks = std::thread::Builder::new().spawn(move || asking.pass(&theirs, &counted))?;
    answering.pass(shared, &answered);
    let _ = asks.join();
    shared.state().open.remove(&number);
    Ok(())
}

/// Whether the road was silent when a client came: the server does not hear of it, and once the road is clear the client is
/// dropped.
fn vanished(shared: &Shared) -> bool {
    let mut state = shared.state();
    if state.road != Road::Silent {
        return false;
    }
    state.struck += 1;
    while state.road == Road::Silent && !state.is_over {
        state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    true
}

/// One direction of a connection.
struct Way {
    /// The connection's.
    number: u64,
    from: TcpStream,
    to: TcpStream,
    is_answer: bool,
}

impl Way {
    /// Passes on until the side that speaks has closed, or nobody hears it any more.
    fn pass(mut self, shared: &Shared, answered: &Mutex<usize>) {
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = self.from.read(&mut piece).unwrap_or(0);
            if !wait_on_the_road(shared, self.number, read) {
                continue;
            }
            if read == 0 {
                let _ = self.to.shutdown(Shutdown::Write);
                return;
            }
            let (passed, is_cut) = self.count(shared, answered, read);
            if self.to.write_all(&piece[..passed]).is_err() || is_cut {
                for side in [&self.from, &self.to] {
                    let _ = side.shutdown(Shutdown::Both);
                }
                return;
            }
        }
    }

    /// How much of a piece passes, and whether the connection ends there.
    fn count(&self, shared: &Shared, answered: &Mutex<usize>, read: usize) -> (usize, bool) {
        let mut answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_answer {
            *answered = 0;
            return (read, false);
        }
        let before = *answered;
        *answered += read;
        let mut state = shared.state();
        let (times, bytes) = state.cuts;
        if times == 0 || bytes < before || bytes >= *answered {
            return (read, false);
        }
        state.cuts = (times - 1, bytes);
        state.struck += 1;
        (bytes - before, true)
    }
}

/// Whether what was read is to be passed on, after what it has to wait; the end of the stream is heard of once the road is
/// not silent any more.
fn wait_on_the_road(shared: &Shared, number: u64, read: usize) -> bool {
    let mut state = shared.state();
    let road = |state: &State| if number < state.forgotten { Road::Silent } else { state.road };
    if read > 0 && road(&state) != Road::Clear {
        state.struck += 1;
    }
    let start = Instant::now();
    loop {
        let left = match road(&state) {
            Road::Clear => return true,
            _ if state.is_over => return true,
            Road::Silent if read > 0 => return false,
            Road::Silent => Duration::MAX,
            Road::Slow(delay) => delay.saturating_sub(start.elapsed()),
        };
        if left.is_zero() {
            return true;
        }
        state = match left {
            Duration::MAX => shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            left => shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
        };
    }
}
