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

/// A token bucket in PostgreSQL. Tokens are taken a tenth of a second's worth at a time, so that a fast vendor does
/// not cost a round trip per request.
#[derive(Debug)]
pub struct SharedBudget {
    pool: PgPool,
    system: SystemName,
    per_second: f64,
    most: f64,
    held: Mutex<f64>,
}

impl SharedBudget {
    /// A bucket that fills at the budget's rate and holds a tenth of it, so that a burst after a quiet time stays
    /// under the vendor's own window.
    pub fn new(pool: PgPool, system: SystemName, budget: Budget) -> Arc<Self> {
        let per_second = f64::from(budget.requests) / budget.per.as_secs_f64().max(0.001);
        let most = (f64::from(budget.requests) / 10.0).clamp(1.0, 100.0);
        Arc::new(Self { pool, system, per_second, most, held: Mutex::new(0.0) })
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
            let wanted = (self.per_second / 10.0).ceil().clamp(1.0, self.most);
            let (taken, wait) =
                systems::take_tokens(&self.pool, self.system.as_str(), wanted, self.per_second, self.most)
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
