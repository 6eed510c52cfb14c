//! Cancelling: Tryton cancels drafts and quotations, and takes a confirmed sale back to a draft. One that is being
//! processed has an invoice and a shipment, which a person must deal with first.

use waybill_connector::{Applied, Failure, Known};

use super::{Call, Outcomes, draft::sale_of, not_amendable, sales};
use crate::{Tryton, wire::StateRow};

impl Tryton {
    pub(super) async fn apply_cancellations(&self, calls: &[Call<'_>]) -> Outcomes {
        let mut states = self.states(calls).await?;
        let mut outcomes = Vec::with_capacity(calls.len());
        for call in calls {
            outcomes.push(match sale_of(&mut states, call) {
                Ok(Some(row)) => self.cancel(&row).await,
                // It never arrived, so that there is nothing to take back.
                Ok(None) => Ok(Applied { external_id: None, known: Known::new(), wrote: false }),
                Err(failure) => Err(failure),
            });
        }
        Ok(outcomes)
    }

    async fn cancel(&self, row: &StateRow) -> Result<Applied, Failure> {
        let number = row.number.as_deref();
        let buttons: &[&str] = match row.state.as_str() {
            "cancelled" => return Ok(sales::applied(row.id, "cancelled", number, false)),
            "draft" | "quotation" => &["cancel"],
            "confirmed" => &["draft", "cancel"],
            state => {
                let message = format!(
                    "the sale is in state '{state}' in Tryton; cancel its shipment and credit its invoice there"
                );
                return Err(not_amendable("cancelled", message));
            }
        };
        for button in buttons {
            self.client.press("sale.sale", button, &[row.id]).await.remove(0)?;
        }
        Ok(sales::applied(row.id, "cancelled", number, true))
    }

    pub(super) async fn find_cancelled(&self, call: &Call<'_>) -> Result<Option<Applied>, Failure> {
        let row = sale_of(&mut self.states(std::slice::from_ref(call)).await?, call)?;
        Ok(row
            .filter(|row| row.state == "cancelled")
            .map(|row| sales::applied(row.id, "cancelled", row.number.as_deref(), false)))
    }
}
