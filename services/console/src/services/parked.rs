//! What needs a person, together by what went wrong.

use std::collections::BTreeMap;

use waybill_proto::wire::{Delivery, ListDeliveriesRequest, State, deliveries_client::DeliveriesClient};

use super::{Services, Unanswered};

/// How many deliveries a service lists at most.
pub const LIMIT: i32 = 1000;

/// Parked deliveries.
#[derive(Debug, Clone)]
pub struct Parked {
    /// By system and code, the largest group first.
    pub groups: Vec<Group>,
    /// Services that listed [`LIMIT`]: they may have more.
    pub cut: Vec<String>,
    /// Services that could not be asked: theirs are not here.
    pub unanswered: Vec<Unanswered>,
}

/// Parked deliveries with one cause.
#[derive(Debug, Clone)]
pub struct Group {
    /// The system that did not take them.
    pub system: String,
    /// Why.
    pub code: String,
    /// Which, those that changed last first.
    pub deliveries: Vec<Delivery>,
}

impl Services {
    /// Parked deliveries of a system and with a code, or of all.
    pub async fn parked(&self, system: Option<String>, code: Option<String>) -> Parked {
        let request = ListDeliveriesRequest {
            system: system.unwrap_or_default(),
            state: State::Parked.into(),
            code: code.unwrap_or_default(),
            limit: LIMIT,
            key: None,
        };
        let gathered = self
            .ask_all(|channel| {
                let request = request.clone();
                async { DeliveriesClient::new(channel).list(request).await }
            })
            .await;
        let cut = gathered.found.iter().filter(|(_, answer)| answer.deliveries.len() >= LIMIT as usize);
        Parked {
            cut: cut.map(|(service, _)| service.clone()).collect(),
            groups: group(gathered.found.into_iter().flat_map(|(_, answer)| answer.deliveries)),
            unanswered: gathered.unanswered,
        }
    }
}

fn group(deliveries: impl Iterator<Item = Delivery>) -> Vec<Group> {
    let mut by_cause: BTreeMap<(String, String), Vec<Delivery>> = BTreeMap::new();
    for delivery in deliveries {
        by_cause.entry((delivery.system.clone(), delivery.code.clone())).or_default().push(delivery);
    }
    let mut groups: Vec<Group> =
        by_cause.into_iter().map(|((system, code), deliveries)| Group { system, code, deliveries }).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.deliveries.len()));
    groups
}

#[cfg(test)]
mod tests {
    use waybill_proto::wire::Delivery;

    #[test]
    fn the_cause_that_holds_most_comes_first() {
        let parked = |system: &str, code: &str| Delivery {
            system: system.to_owned(),
            code: code.to_owned(),
            ..Delivery::default()
        };
        let deliveries = [parked("crm", "invalid_email"), parked("erp", "totals"), parked("erp", "totals")];
        let groups = super::group(deliveries.into_iter());
        let sizes: Vec<_> = groups.iter().map(|g| (g.code.as_str(), g.deliveries.len())).collect();
        assert_eq!(sizes, [("totals", 2), ("invalid_email", 1)]);
    }
}
