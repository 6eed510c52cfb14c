//! `/healthz`, `/readyz` and `/metrics`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, extract::State, http::StatusCode, routing::get};

use crate::metrics::Metrics;

/// What a service is waiting for. Ready when nothing is.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<&'static str, Option<String>>>>);

impl Health {
    /// Says that a part is well, or what is wrong with it.
    pub fn set(&self, part: &'static str, problem: Option<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(part, problem);
    }

    /// What is wrong, a line each; empty if the service is ready.
    pub fn problems(&self) -> Vec<String> {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts
            .iter()
            .filter_map(|(part, problem)| problem.as_ref().map(|problem| format!("{part}: {problem}")))
            .collect()
    }
}

/// The endpoints. `/healthz` answers while the process runs; `/readyz` 503 with the problems while there are some.
pub fn router(health: Health, metrics: Metrics) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready).with_state(health))
        .route("/metrics", get(move || async move { metrics.render() }))
}

async fn ready(State(health): State<Health>) -> (StatusCode, String) {
    let problems = health.problems();
    if problems.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, problems.join("\n") + "\n")
    }
}
