//! A system's budget, shared by a service's replicas through the database.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::PgPool;
use tokio::sync::Mutex;
use waybill_connector::{Failure, Gate};
use waybill_domain::{SystemName, descriptor::Budget};

use crate::store::systems;

/// Longer than this a call is not held: its delivery goes back into the queue.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A token bucket in PostgreSQL. Tokens are taken up to a tenth of a second's worth at a time, so that a fast vendor does
/// not cost a round trip per request.
#[derive(Debug)]
pub struct SharedBudget {
    pool: PgPool,
    system: SystemName,
    per_second: f64,
    most: f64,
    /// Tokens that are taken at a time.
    part: f64,
    held: Mutex<f64>,
}

impl SharedBudget {
    /// A bucket that holds little and fills by that much more slowly than the budget says: vendors count in windows, and
    /// in none of them may what was saved before it and what comes in it be more than the limit.
    pub fn new(pool: PgPool, system: SystemName, budget: Budget) -> Arc<Self> {
        let (requests, per) = (f64::from(budget.requests), budget.per.as_secs_f64().max(0.001));
        // A fiftieth, and what comes in while somebody sleeps until the next token.
        let most = (requests / 50.0).max(requests / per / 20.0).clamp(1.0, 100.0);
        let part = (requests / per / 10.0).ceil().clamp(1.0, most.floor());
        // The bucket, and what a replica has of it in its hands.
        let saved = (most + part - 1.0).min(requests / 10.0);
        Arc::new(Self { pool, system, per_second: (requests - saved) / per, most, part, held: Mutex::new(0.0) })
    }
}

#[async_trait]
impl Gate for SharedBudget {
    async fn pass(&self) -> Result<(), Failure> {
        let mut held = self.held.lock().await;
        let mut waited = Duration::ZERO;
        loop {
            if *held >= 1.0 {
                *held -= 1.0;
                return Ok(());
            }
            let (taken, wait) =
                systems::take_tokens(&self.pool, self.system.as_str(), self.part, self.per_second, self.most)
                    .await
                    .map_err(|error| Failure::Transient { message: format!("the budget cannot be read: {error}") })?;
            *held += taken;
            if taken < 1.0 {
                let wait = Duration::from_secs_f64(wait.clamp(0.001, 3600.0));
                if waited + wait > LONGEST_WAIT {
                    return Err(Failure::RateLimited { retry_after: wait });
                }
                waited += wait;
                tokio::time::sleep(wait).await;
            }
        }
    }
}
