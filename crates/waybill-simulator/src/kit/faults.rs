//! Faults on request.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429 with the vendor's own headers and body.
    TooManyRequests {
        /// What the vendor asks the caller to wait, in seconds.
        retry_after_s: u64,
    },
    /// 401 with the vendor's own body.
    Unauthorized,
    /// 500 with a body that is not the vendor's.
    ServerError,
    /// Answers, later.
    Slow {
        /// By so many milliseconds.
        delay_ms: u64,
    },
    /// The connection is cut after the request was read and before it took effect.
    CutBefore,
    /// The connection is cut after the request took effect.
    CutAfter,
    /// 500 after the request took effect.
    ErrorAfter,
    /// 200 with a body that the vendor would never send; the request did not take effect.
    ErrorIn200,
}

impl FaultKind {
    /// Its name, as in a request that asks for it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::Unauthorized => "unauthorized",
            Self::ServerError => "server_error",
            Self::Slow { .. } => "slow",
            Self::CutBefore => "cut_before",
            Self::CutAfter => "cut_after",
            Self::ErrorAfter => "error_after",
            Self::ErrorIn200 => "error_in200",
        }
    }
}

/// A fault and where it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// How many matching requests it strikes.
    pub times: u32,
    /// Only requests whose path contains this; empty for all.
    #[serde(default)]
    pub path: String,
    /// Only requests whose body contains this; empty for all.
    #[serde(default)]
    pub body: String,
}

/// The faults of one simulated vendor. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    struck: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
struct Waiting {
    fault: Fault,
    /// How many matching requests pass before it strikes.
    skip: usize,
}

impl Faults {
    /// Adds a fault.
    pub fn add(&self, fault: Fault) {
        self.add_after(0, fault);
    }

    /// Adds a fault that lets the first `skip` matching requests pass.
    pub fn add_after(&self, skip: usize, fault: Fault) {
        self.lock().waiting.push(Waiting { fault, skip });
    }

    /// Whether a fault has yet to strike.
    pub fn pending(&self) -> bool {
        !self.lock().waiting.is_empty()
    }

    /// Lifts all faults.
    pub fn clear(&self) {
        self.lock().waiting.clear();
    }

    /// The fault that strikes this request, if one does; counts it.
    pub fn strike(&self, path: &str, body: &[u8]) -> Option<FaultKind> {
        let mut state = self.lock();
        let faults = &mut state.waiting;
        let at = faults.iter_mut().position(|Waiting { fault, skip }| {
            let matches = path.contains(&fault.path)
                && (fault.body.is_empty() || String::from_utf8_lossy(body).contains(&fault.body));
            if matches && *skip > 0 {
                *skip -= 1;
                return false;
            }
            matches
        })?;
        let fault = &mut faults[at].fault;
        let kind = fault.kind.clone();
        fault.times = fault.times.saturating_sub(1);
        if fault.times == 0 {
            faults.remove(at);
        }
        *state.struck.entry(kind.name()).or_default() += 1;
        Some(kind)
    }

    /// How many requests each kind of fault struck.
    pub fn struck(&self) -> BTreeMap<&'static str, u64> {
        self.lock().struck.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
