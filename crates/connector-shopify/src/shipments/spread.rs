//! Which fulfilment orders' lines a parcel is made of. Pure.
//!
//! One line of an order can be spread over the fulfilment orders of several locations, and one `fulfillmentCreate`
//! takes fulfilment orders of one location only ("All fulfillment orders must be assigned to a single location").

use std::collections::{BTreeMap, HashSet};

/// A line of a fulfilment order that can be fulfilled now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenLine {
    /// The fulfilment order's global id.
    pub(super) order: String,
    /// Its location's global id; its own where Shopify shows no location.
    pub(super) location: String,
    /// The fulfilment order line's global id.
    pub(super) id: String,
    /// The order's line.
    pub(super) item: Item,
    /// What is left to fulfil.
    pub(super) remaining: i64,
}

/// An order's line, by its id and SKU.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item {
    /// The order line's id, decimal digits; empty where only the SKU is known.
    pub(super) line: String,
    /// The merchant's own code.
    pub(super) sku: String,
}

impl Item {
    /// Whether this is what a shipped line means: by line id, or by SKU where the parcel knows no line id.
    pub(super) fn is(&self, wanted: &Self) -> bool {
        if wanted.line.is_empty() { !wanted.sku.is_empty() && self.sku == wanted.sku } else { self.line == wanted.line }
    }
}

/// So many of an item.
pub(super) type Units = Vec<(Item, i64)>;

/// Fulfilment order → its lines with quantities: one `fulfillmentCreate`.
pub(super) type Creation = BTreeMap<String, Vec<(String, i64)>>;

/// Adds up what is wanted of each item, so that two rows of one item are one.
pub(super) fn gathered(rows: impl IntoIterator<Item = (Item, i64)>) -> Units {
    let mut units: BTreeMap<Item, i64> = BTreeMap::new();
    for (item, quantity) in rows {
        let sum = units.entry(item).or_default();
        *sum = sum.saturating_add(quantity);
    }
    units.into_iter().filter(|(_, quantity)| *quantity > 0).collect()
}

/// `wanted` less what `have` has; the second part is what `have` has and nobody wants.
pub(super) fn less(wanted: &Units, mut have: Units) -> (Units, Units) {
    let mut missing = Units::new();
    // Lines named by id take theirs first: a row that names a SKU alone takes what is left.
    let (by_id, by_sku): (Vec<_>, Vec<_>) = wanted.iter().partition(|(item, _)| !item.line.is_empty());
    for (item, quantity) in by_id.into_iter().chain(by_sku) {
        let mut left = *quantity;
        for (_, there) in have.iter_mut().filter(|(there, _)| there.is(item)) {
            let taken = left.min(*there);
            *there -= taken;
            left -= taken;
        }
        if left > 0 {
            missing.push((item.clone(), left));
        }
    }
    have.retain(|(_, quantity)| *quantity > 0);
    (missing, have)
}

/// Spreads the wanted units over open lines, location by location, beginning with the one that covers most: a parcel
/// leaves from one place, so that one location is the rule. What cannot be placed is the error.
pub(super) fn spread(wanted: &Units, open: &[OpenLine]) -> Result<Vec<Creation>, Units> {
    let mut open = open.to_vec();
    let mut wanted = wanted.clone();
    let mut creations = Vec::new();
    while !wanted.is_empty() {
        let Some(location) = best_location(&wanted, &open) else {
            return Err(wanted);
        };
        let (creation, rest) = take(&wanted, &mut open, &location);
        creations.push(creation);
        wanted = rest;
    }
    Ok(creations)
}

fn best_location(wanted: &Units, open: &[OpenLine]) -> Option<String> {
    let mut best: Option<(i64, &str)> = None;
    let mut seen = HashSet::new();
    for location in open.iter().map(|line| line.location.as_str()).filter(|location| seen.insert(*location)) {
        let (_, rest) = take(wanted, &mut open.to_vec(), location);
        let covered = units(wanted) - units(&rest);
        // The first of equals, in Shopify's order.
        if covered > best.map_or(0, |(covered, _)| covered) {
            best = Some((covered, location));
        }
    }
    best.map(|(_, location)| location.to_owned())
}

/// Takes what one location has of the wanted units; answers what is still wanted.
fn take(wanted: &Units, open: &mut [OpenLine], location: &str) -> (Creation, Units) {
    let mut creation = Creation::new();
    let mut rest = Units::new();
    let (by_id, by_sku): (Vec<_>, Vec<_>) = wanted.iter().partition(|(item, _)| !item.line.is_empty());
    for (item, quantity) in by_id.into_iter().chain(by_sku) {
        let mut left = *quantity;
        for line in open.iter_mut().filter(|line| line.location == location && line.item.is(item)) {
            let taken = left.min(line.remaining);
            if taken > 0 {
                line.remaining -= taken;
                left -= taken;
                add(creation.entry(line.order.clone()).or_default(), &line.id, taken);
            }
        }
        if left > 0 {
            rest.push((item.clone(), left));
        }
    }
    (creation, rest)
}

/// The same fulfilment order line may serve two rows.
fn add(lines: &mut Vec<(String, i64)>, id: &str, quantity: i64) {
    match lines.iter_mut().find(|(line, _)| line == id) {
        Some((_, sum)) => *sum += quantity,
        None => lines.push((id.to_owned(), quantity)),
    }
}

fn units(units: &Units) -> i64 {
    units.iter().map(|(_, quantity)| *quantity).fold(0, i64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::{Creation, Item, OpenLine, Units, gathered, less, spread};

    fn item(line: &str, sku: &str) -> Item {
        Item { line: line.to_owned(), sku: sku.to_owned() }
    }

    fn open(order: &str, location: &str, line: &str, remaining: i64) -> OpenLine {
        OpenLine {
            order: order.to_owned(),
            location: location.to_owned(),
            id: format!("{order}.{line}"),
            item: item(line, &format!("SKU-{line}")),
            remaining,
        }
    }

    fn wanted(rows: &[(&str, i64)]) -> Units {
        gathered(rows.iter().map(|(line, quantity)| (item(line, ""), *quantity)))
    }

    fn creation(rows: &[(&str, &str, i64)]) -> Creation {
        let mut creation = Creation::new();
        for (order, line, quantity) in rows {
            creation.entry((*order).to_owned()).or_default().push((format!("{order}.{line}"), *quantity));
        }
        creation
    }

    #[test]
    fn the_location_that_has_all_of_it_is_taken() {
        let open = [open("F1", "A", "1", 1), open("F2", "B", "1", 2), open("F2", "B", "2", 1)];
        assert_eq!(
            spread(&wanted(&[("1", 1), ("2", 1)]), &open),
            Ok(vec![creation(&[("F2", "1", 1), ("F2", "2", 1)])])
        );
    }

    #[test]
    fn one_line_of_two_locations_becomes_two_creations() {
        let open = [open("F1", "A", "1", 2), open("F2", "B", "1", 3)];
        assert_eq!(
            spread(&wanted(&[("1", 4)]), &open),
            Ok(vec![creation(&[("F2", "1", 3)]), creation(&[("F1", "1", 1)])])
        );
    }

    #[test]
    fn two_fulfilment_orders_of_one_location_are_one_creation() {
        let open = [open("F1", "A", "1", 1), open("F2", "A", "1", 1)];
        assert_eq!(spread(&wanted(&[("1", 2)]), &open), Ok(vec![creation(&[("F1", "1", 1), ("F2", "1", 1)])]));
    }

    #[test]
    fn what_cannot_be_placed_is_named_and_nothing_is_created() {
        let open = [open("F1", "A", "1", 1)];
        assert_eq!(spread(&wanted(&[("1", 2), ("9", 1)]), &open), Err(wanted(&[("1", 1), ("9", 1)])));
    }

    #[test]
    fn a_row_without_a_line_id_is_placed_by_its_sku() {
        let open = [open("F1", "A", "1", 1), open("F1", "A", "2", 1)];
        let by_sku = gathered([(item("", "SKU-2"), 1)]);
        assert_eq!(spread(&by_sku, &open), Ok(vec![creation(&[("F1", "2", 1)])]));
    }

    #[test]
    fn what_is_there_is_not_wanted_again() {
        let have = gathered([(item("1", "SKU-1"), 2), (item("2", "SKU-2"), 1)]);
        let (missing, extra) = less(&wanted(&[("1", 3)]), have);
        assert_eq!(missing, wanted(&[("1", 1)]));
        assert_eq!(extra, gathered([(item("2", "SKU-2"), 1)]));
    }
}
