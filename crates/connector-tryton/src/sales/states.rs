//! A sale's way: draft → quotation → confirmed → processing.

use std::collections::HashMap;

use waybill_connector::{Applied, Failure, StepCall};

use super::{Booked, CONFIRM, QUOTE, applied};
use crate::{
    Tryton,
    steps::{Outcomes, not_amendable},
    wire::{Id, StateRow},
};

/// The states in which a step has nothing left to do.
fn reached(step: &str) -> &'static [&'static str] {
    match step {
        QUOTE => &["quotation", "confirmed", "processing", "done"],
        CONFIRM => &["confirmed", "processing", "done"],
        _ => &["processing", "done"],
    }
}

impl Tryton {
    /// Presses the button of the calls' step where the state asks for it. Confirming also processes, unless Tryton has
    /// a queue or could not: then the next step does.
    pub(crate) async fn advance<D: Booked>(&self, calls: &[StepCall<'_, D>]) -> Outcomes {
        let Some(step) = calls.first().map(|call| &*call.step.name) else { return Ok(Vec::new()) };
        let mut before = self.states(calls).await?;
        let rows: Vec<Result<StateRow, Failure>> = calls
            .iter()
            .map(|call| match before.remove(call.document.key().as_str()) {
                None => Err(not_amendable("reference", "Tryton no longer has the sale")),
                Some(Ok(row)) if row.state == "cancelled" => {
                    Err(not_amendable("state", "the sale was cancelled in Tryton"))
                }
                Some(outcome) => outcome,
            })
            .collect();
        let due: Vec<Id> = rows
            .iter()
            .flatten()
            .filter(|row| !reached(step).contains(&row.state.as_str()))
            .map(|row| row.id)
            .collect();
        let pressed: HashMap<Id, Result<(), Failure>> =
            due.iter().copied().zip(self.client.press("sale.sale", step, &due).await).collect();
        let after = self.states_of(&due, &pressed).await?;
        let outcome = |row: StateRow| {
            let Some(pressed) = pressed.get(&row.id) else {
                return Ok(applied::<D>(row.id, &row.state, row.number.as_deref(), false));
            };
            match (after.get(&row.id), pressed) {
                // A colleague may have pressed it in between: then it is refused, and done.
                (Some(row), _) if reached(step).contains(&row.state.as_str()) => {
                    Ok(applied::<D>(row.id, &row.state, row.number.as_deref(), true))
                }
                (_, Err(failure)) => Err(failure.clone()),
                (_, Ok(())) => Err(Failure::Transient { message: format!("Tryton has not done '{step}' yet") }),
            }
        };
        Ok(rows.into_iter().map(|row| row.and_then(outcome)).collect())
    }

    pub(crate) async fn find_state<D: Booked>(&self, call: &StepCall<'_, D>) -> Result<Option<Applied>, Failure> {
        let row = self.states(std::slice::from_ref(call)).await?.remove(call.document.key().as_str()).transpose()?;
        Ok(row
            .filter(|row| reached(&call.step.name).contains(&row.state.as_str()))
            .map(|row| applied::<D>(row.id, &row.state, row.number.as_deref(), false)))
    }

    /// The states after a button, of those sales for which the answer arrived.
    async fn states_of(
        &self,
        ids: &[Id],
        pressed: &HashMap<Id, Result<(), Failure>>,
    ) -> Result<HashMap<Id, StateRow>, Failure> {
        let answered = |outcome: &Result<(), Failure>| matches!(outcome, Ok(()) | Err(Failure::Rejected { .. }));
        let ids: Vec<Id> = ids.iter().copied().filter(|id| pressed.get(id).is_some_and(answered)).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<StateRow> = self.client.read("sale.sale", &ids, &["reference", "state", "number"]).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}
