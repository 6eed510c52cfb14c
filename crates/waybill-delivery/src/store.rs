//! The engine's SQL: one query per function, named for its purpose.

pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod bodies;
pub(crate) mod claim;
pub(crate) mod decisions;
pub(crate) mod deliveries;
pub(crate) mod edits;
pub(crate) mod facts;
pub(crate) mod first_run;
pub(crate) mod flows;
pub(crate) mod heard;
pub(crate) mod history;
pub(crate) mod roll;
pub(crate) mod sent;
pub(crate) mod settle;
pub(crate) mod steps;
pub(crate) mod systems;
