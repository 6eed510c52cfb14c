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
