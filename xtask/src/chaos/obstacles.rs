//! What stands in the roads between processes, for how long, and whether somebody met it.

use std::collections::BTreeMap;
use std::time::Instant;

use super::schedule::Obstacle;
use crate::demo::roads::Road;

/// One obstacle in a road.
#[derive(Debug)]
struct Placed {
    road: usize,
    obstacle: Obstacle,
    until: Instant,
    /// What the road had struck before.
    struck: u64,
}

/// All that stand at one time, one in a road at most.
#[derive(Debug, Default)]
pub(super) struct Obstacles(Vec<Placed>);

impl Obstacles {
    /// Puts it there, unless another stands there already.
    pub(super) fn put(&mut self, roads: &[Road], road: usize, obstacle: Obstacle, until: Instant) {
        let Some(Road { name, proxy }) = roads.get(road) else { return };
        if self.0.iter().any(|placed| placed.road == road) {
            return;
        }
        eprintln!("          on the way to {name}");
        self.0.push(Placed { road, obstacle, until, struck: proxy.struck() });
        match obstacle {
            Obstacle::Slow(delay) => proxy.slow(delay),
            Obstacle::Cut { times, bytes } => proxy.cut(times, bytes),
            Obstacle::Silent => proxy.silence(),
            Obstacle::Forgotten => proxy.forget(),
        }
    }

    /// Takes away those whose time is over, without a time all; what somebody met goes to the effects.
    pub(super) fn clear(&mut self, roads: &[Road], now: Option<Instant>, effects: &mut BTreeMap<String, u64>) {
        for placed in self.0.extract_if(.., |placed| now.is_none_or(|now| placed.until <= now)) {
            let Some(Road { proxy, .. }) = roads.get(placed.road) else { continue };
            proxy.lift();
            let (kind, times) = match (placed.obstacle, proxy.struck() - placed.struck) {
                (_, 0) => continue,
                (Obstacle::Slow(_), _) => ("road_slow", 1),
                (Obstacle::Cut { .. }, cut) => ("road_cut", cut),
                (Obstacle::Silent | Obstacle::Forgotten, _) => ("road_half_open", 1),
            };
            *effects.entry(kind.to_owned()).or_default() += times;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use super::*;
    use crate::demo::roads::Roads;

    const SLOW: Obstacle = Obstacle::Slow(Duration::from_millis(1));

    /// A road to somebody who answers ten bytes to each one.
    fn road() -> Roads {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        std::thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                while client.read_exact(&mut [0]).is_ok() && client.write_all(b"0123456789").is_ok() {}
            }
        });
        let mut roads = Roads::default();
        roads.to("somebody", &url).expect("a road");
        roads
    }

    fn answer(roads: &Roads) -> usize {
        let mut client = TcpStream::connect(roads.all()[0].proxy.address()).expect("the proxy listens");
        client.write_all(b"?").expect("a question is sent");
        client.shutdown(std::net::Shutdown::Write).expect("no more questions");
        let mut answer = Vec::new();
        let _ = client.read_to_end(&mut answer);
        answer.len()
    }

    #[test]
    fn what_nobody_meets_does_not_count() {
        let (roads, mut obstacles, mut effects) = (road(), Obstacles::default(), BTreeMap::new());
        obstacles.put(roads.all(), 0, SLOW, Instant::now());
        obstacles.clear(roads.all(), None, &mut effects);
        assert_eq!(effects, BTreeMap::new());
    }

    #[test]
    fn what_stands_in_a_road_stays_until_its_time_and_nothing_is_put_in_its_place() {
        let (roads, mut obstacles, mut effects) = (road(), Obstacles::default(), BTreeMap::new());
        let later = Instant::now() + Duration::from_secs(600);
        obstacles.put(roads.all(), 0, SLOW, later);
        obstacles.put(roads.all(), 0, Obstacle::Cut { times: 1, bytes: 0 }, later);
        obstacles.clear(roads.all(), Some(Instant::now()), &mut effects);
        assert_eq!((answer(&roads), &effects), (10, &BTreeMap::new()));
        obstacles.clear(roads.all(), None, &mut effects);
        assert_eq!(effects, BTreeMap::from([("road_slow".to_owned(), 1)]));
    }

    #[test]
    fn a_slow_road_counts_once_and_each_cut_by_itself_and_nothing_is_left_of_either() {
        let (roads, mut obstacles, mut effects) = (road(), Obstacles::default(), BTreeMap::new());
        obstacles.put(roads.all(), 0, SLOW, Instant::now());
        assert_eq!((answer(&roads), answer(&roads)), (10, 10));
        obstacles.clear(roads.all(), Some(Instant::now()), &mut effects);
        obstacles.put(roads.all(), 0, Obstacle::Cut { times: 3, bytes: 4 }, Instant::now());
        assert_eq!((answer(&roads), answer(&roads)), (4, 4));
        obstacles.clear(roads.all(), Some(Instant::now()), &mut effects);
        assert_eq!(answer(&roads), 10);
        assert_eq!(effects, BTreeMap::from([("road_cut".to_owned(), 2), ("road_slow".to_owned(), 1)]));
    }
}
