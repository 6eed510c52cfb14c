//! Cancelling: Tryton cancels drafts and quotations, and takes a confirmed sale back to a draft. One that is being
//! processed has an invoice and a shipment, which a person must deal with first.

use waybill_connector::{Applied, Failure};
use waybill_domain::document::OrderDocument;

use super::Call;
use crate::{
    Tryton,
    sales::{self, Referred, fields_only, sale_of},
    steps::{Outcomes, not_amendable},
    wire::StateRow,
};

impl Tryton {
    pub(super) async fn apply_cancellations(&self, calls: &[Call<'_>]) -> Outcomes {
        let mut states = self.states_or_found(calls).await?;
        let mut outcomes = Vec::with_capacity(calls.len());
        for call in calls {
            outcomes.push(match sale_of(&mut states, call) {
                Ok(Some(row)) => self.cancel(call, &row).await,
                // It never arrived, so that there is nothing to take back.
                Ok(None) => Ok(Applied::default()),
                Err(failure) => Err(failure),
            });
        }
        Ok(outcomes)
    }

    async fn cancel(&self, call: &Call<'_>, row: &StateRow) -> Result<Applied, Failure> {
        let number = row.number.as_deref();
        let is_cancelled = row.state == "cancelled";
        if !is_cancelled && fields_only(call, row.carries(call.document)).is_some() {
            let message = "the sale was there before us, and only some of its fields are ours: cancel it in Tryton";
            return Err(not_amendable("cancelled", message));
        }
        let adopted = self.put_key_on(call, row).await?;
        let buttons: &[&str] = match row.state.as_str() {
            "cancelled" => return Ok(sales::applied::<OrderDocument>(row.id, "cancelled", number, adopted)),
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
        Ok(sales::applied::<OrderDocument>(row.id, "cancelled", number, true))
    }

    pub(super) async fn find_cancelled(&self, call: &Call<'_>) -> Result<Option<Applied>, Failure> {
        let row = sale_of(&mut self.states(std::slice::from_ref(call)).await?, call)?;
        Ok(row
            .filter(|row| row.state == "cancelled")
            .map(|row| sales::applied::<OrderDocument>(row.id, "cancelled", row.number.as_deref(), false)))
    }
}
