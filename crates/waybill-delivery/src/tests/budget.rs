//! A vendor's limit, shared by replicas.

use std::time::{Duration, Instant};

use waybill_connector::Gate as _;
use waybill_domain::descriptor::Budget;

use super::bench::Bench;
use crate::SharedBudget;

const LIMIT: u32 = 20;
const WINDOW: Duration = Duration::from_secs(1);

#[tokio::test]
async fn replicas_together_stay_within_every_window_and_use_what_it_allows() {
    let bench = bench!();
    let budget = Budget { requests: LIMIT, per: WINDOW };
    let until = Instant::now() + 3 * WINDOW;
    let replica = || {
        let gate = SharedBudget::new(bench.pool().clone(), "erp".parse().unwrap(), budget);
        tokio::spawn(async move {
            let mut passed = Vec::new();
            while Instant::now() < until {
                gate.pass().await.unwrap();
                passed.push(Instant::now());
            }
            passed
        })
    };
    let (one, other) = (replica(), replica());
    let mut passed = one.await.unwrap();
    passed.extend(other.await.unwrap());
    passed.sort();
    // They pass a moment after PostgreSQL gave them their tokens.
    let window = WINDOW.mul_f64(0.95);
    let most = (0..passed.len()).map(|at| passed[at..].iter().take_while(|time| **time - passed[at] < window).count());
    let most = most.max().unwrap();
    assert!(most <= LIMIT as usize, "{most} in one window");
    assert!(passed.len() >= 3 * LIMIT as usize * 3 / 4, "{} in three", passed.len());
}
