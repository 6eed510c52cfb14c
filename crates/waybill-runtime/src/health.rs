//! `/healthz`, `/readyz` and `/metrics`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, extract::State, http::StatusCode, routing::get};

use crate::metrics::Metrics;

/// What a service is waiting for. Ready when nothing is.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<Parts>>);

#[derive(Debug, Default)]
struct Parts {
    problems: BTreeMap<&'static str, Option<String>>,
    remarks: BTreeMap<&'static str, String>,
}

impl Health {
    /// Says that a part is well, or what is wrong with it.
    pub fn set(&self, part: &'static str, problem: Option<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).problems.insert(part, problem);
    }

    /// Says what a person should see to, or that there is nothing, where the service is ready all the same.
    pub fn remark(&self, part: &'static str, remark: Option<String>) {
        let remarks = &mut self.0.lock().unwrap_or_else(PoisonError::into_inner).remarks;
        match remark {
            Some(remark) => remarks.insert(part, remark),
            None => remarks.remove(part),
        };
    }

    /// What a person should see to, a line each.
    pub fn remarks(&self) -> Vec<String> {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.remarks.iter().map(|(part, remark)| format!("{part}: {remark}")).collect()
    }

    /// What is wrong, a line each; empty if the service is ready.
    pub fn problems(&self) -> Vec<String> {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts
            .problems
            .iter()
            .filter_map(|(part, problem)| problem.as_ref().map(|problem| format!("{part}: {problem}")))
            .collect()
    }
}

/// The endpoints. `/healthz` answers while the process runs; `/readyz` 503 with the problems while there are some, else
/// 200 with the remarks.
pub fn router(health: Health, metrics: Metrics) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready).with_state(health))
        .route("/metrics", get(move || async move { metrics.render() }))
}

async fn ready(State(health): State<Health>) -> (StatusCode, String) {
    let problems = health.problems();
    if problems.is_empty() {
        let remarks = health.remarks().into_iter().map(|remark| format!("{remark}\n"));
        (StatusCode::OK, ["ready\n".to_owned()].into_iter().chain(remarks).collect())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, problems.join("\n") + "\n")
    }
}
