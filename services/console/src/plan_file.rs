//! The plan, read to be shown.

use std::path::Path;

use waybill_plan::{Connectors, Plan};

/// The plan's file as it is now. It is read for each page, so that what is shown is what is there.
#[derive(Debug)]
pub(crate) enum PlanFile {
    /// It passes.
    Passes(Box<Plan>),
    /// It does not, and why: a line per problem, none with a line of the file, as there could be a secret in it.
    Refused(Vec<String>),
    /// It cannot be read, and why.
    Unreadable(String),
    /// The settings name none.
    Unnamed,
}

impl PlanFile {
    pub(crate) async fn read(path: &Path) -> Self {
        if path.as_os_str().is_empty() {
            return Self::Unnamed;
        }
        let text = match tokio::fs::read_to_string(path).await {
            Ok(text) => text,
            Err(error) => return Self::Unreadable(error.to_string()),
        };
        // Each connector is some service's to know, and that service checks what the plan asks of it.
        match Plan::parse(&text, Connectors::Some(&[])) {
            Ok(plan) => Self::Passes(Box::new(plan)),
            Err(problems) => Self::Refused(problems.problems.iter().map(ToString::to_string).collect()),
        }
    }
}
