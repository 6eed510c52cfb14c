//! What changed in the store since a time, for a comparison with what is known: ids and times, page by page.
//!
//! Orders, customers and products are found by their `updated_at` and come in its order, so that whatever came before a
//! page's last record is complete, and one that changes meanwhile moves to the end and is told again. Inventory levels
//! are found within each location and come in no order of time.
//!
//! Searches read an index that is a little behind the store: seconds were seen
//! (<https://github.com/lightward/mechanic-tasks/pull/66>), and Shopify promises no bound. So whoever asks asks again
//! about the last minutes. A list ends after 25,000 objects
//! (<https://shopify.dev/docs/api/usage/limits>, "pagination"); a caller that is far behind asks anew from the last
//! time that it has seen.

use jiff::Timestamp;
use serde_json::json;
use waybill_connector::Failure;
use waybill_domain::{Kind, RecordId};

use crate::{
    Shopify,
    client::{Client, Document, document},
    gid, reads, wire,
};

/// A page of what changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Records, and when each last changed.
    pub records: Vec<(RecordId, Timestamp)>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// The kinds of records that [`Shopify::changed`] finds.
pub const FOUND_BY_TIME: [Kind; 4] = [Kind::Order, Kind::Customer, Kind::Product, Kind::InventoryLevel];

/// Whether the changes of a kind come in the order of their times.
pub const fn in_order(kind: Kind) -> bool {
    matches!(kind, Kind::Order | Kind::Customer | Kind::Product)
}

impl Shopify {
    /// A page of the records of a kind that changed at `since` or later; `after` is the page before's `next`.
    ///
    /// # Errors
    /// Those of a read; [`Failure::Rejected`] with code `kind` for a kind that is not among [`FOUND_BY_TIME`].
    pub async fn changed(&self, kind: Kind, since: Timestamp, after: Option<&str>) -> Result<Changes, Failure> {
        // Shopify keeps whole seconds, so the second that has begun belongs to it.
        let query = format!("updated_at:>='{}'", since.strftime("%Y-%m-%dT%H:%M:%SZ"));
        match kind {
            Kind::Order => self.client.changed(document::CHANGED_ORDERS, "Order", &query, after).await,
            Kind::Customer => self.client.changed(document::CHANGED_CUSTOMERS, "Customer", &query, after).await,
            Kind::Product => self.client.changed(document::CHANGED_PRODUCTS, "Product", &query, after).await,
            Kind::InventoryLevel => self.client.changed_levels(&query, after).await,
            _ => Err(Failure::rejected("kind", "", format!("a {kind} is not found by its time of change"))),
        }
    }
}

impl Shopify {
    /// Which of some customers or products, 250 at most, the store does not have any more. Not orders: without the scope
    /// `read_all_orders` one that is 60 days old looks as if it were gone.
    ///
    /// # Errors
    /// Those of a read; [`Failure::Rejected`] with code `kind` for other kinds.
    pub async fn gone(&self, kind: Kind, ids: &[RecordId]) -> Result<Vec<RecordId>, Failure> {
        let object = match kind {
            Kind::Customer => "Customer",
            Kind::Product => "Product",
            _ => return Err(Failure::rejected("kind", "", format!("a {kind} is not looked for by its id alone"))),
        };
        let gids: Vec<String> = ids.iter().map(|id| gid::gid(object, id)).collect();
        let data: wire::PresentData = self.client.read(document::PRESENT, json!({ "ids": gids })).await?;
        if data.nodes.len() != ids.len() {
            return Err(Failure::malformed("the answer has another number of nodes than there were ids", b""));
        }
        let absent = ids.iter().zip(data.nodes).filter(|(_, node)| node.is_none());
        Ok(absent.map(|(id, _)| id.clone()).collect())
    }
}

impl Client {
    async fn changed(
        &self,
        document: Document,
        object: &str,
        query: &str,
        after: Option<&str>,
    ) -> Result<Changes, Failure> {
        let data: wire::ChangedData = self.read(document, json!({ "query": query, "after": after })).await?;
        let next = data.changed.page_info.next().map(str::to_owned);
        let record = |found: wire::ChangedRecord| Ok((reads::id(object, &found.id)?, found.updated_at));
        Ok(Changes { records: data.changed.nodes.into_iter().map(record).collect::<Result<_, Failure>>()?, next })
    }

    /// Levels are found location by location, by the locations' ids: a place in them is `<location>` or
    /// `<location> <cursor>`.
    async fn changed_levels(&self, query: &str, after: Option<&str>) -> Result<Changes, Failure> {
        let (location, cursor) = match after {
            Some(place) => match place.split_once(' ') {
                Some((location, cursor)) => (location.to_owned(), Some(cursor)),
                None => (place.to_owned(), None),
            },
            None => match self.location_after(0).await? {
                Some(first) => (first, None),
                None => return Ok(Changes { records: Vec::new(), next: None }),
            },
        };
        let number =
            gid::digits(&location).ok_or_else(|| Failure::rejected("after", "", "it is no location's page"))?;
        let variables = json!({ "location": gid::gid("Location", &number), "query": query, "after": cursor });
        let data: wire::ChangedLevelsData = self.read(document::CHANGED_LEVELS, variables).await?;
        let (mut records, mut next) = (Vec::new(), None);
        // A location that was deleted meanwhile has no levels any more.
        if let Some(found) = data.location {
            next = found.inventory_levels.page_info.next().map(|cursor| format!("{number} {cursor}"));
            for level in found.inventory_levels.nodes {
                let item = reads::id("InventoryItem", &level.item.id)?;
                let id = format!("{item}-{number}").parse().map_err(|_| Failure::malformed("an item's id", b""))?;
                records.push((id, level.updated_at));
            }
        }
        if next.is_none() {
            next = self.location_after(number.as_str().parse().unwrap_or(u64::MAX)).await?;
        }
        Ok(Changes { records, next })
    }

    /// The location with the next larger id.
    async fn location_after(&self, id: u64) -> Result<Option<String>, Failure> {
        let (mut found, mut after): (Option<u64>, Option<String>) = (None, None);
        loop {
            let data: wire::LocationsData = self.read(document::LOCATIONS, json!({ "after": after })).await?;
            for location in &data.locations.nodes {
                let number = reads::id("Location", &location.id)?.as_str().parse::<u64>().unwrap_or_default();
                if number > id && found.is_none_or(|least| number < least) {
                    found = Some(number);
                }
            }
            after = data.locations.page_info.next().map(str::to_owned);
            if after.is_none() {
                return Ok(found.map(|number| number.to_string()));
            }
        }
    }
}
