//! Stores and locations against each other and against their systems.

use std::collections::{BTreeMap, btree_map::Entry};

use waybill_domain::{StoreName, SystemName, descriptor::Capability};

use super::Reading;
use crate::diagnostic::Place;

impl Reading<'_, '_> {
    pub(super) fn check_parties(&mut self) {
        self.check_shops();
        self.check_locations();
    }

    /// A shop is one store, and its system reads that very shop.
    fn check_shops(&mut self) {
        let mut places: Vec<(StoreName, Place)> = self.store_places.clone().into_iter().collect();
        places.sort_by_key(|(_, place)| place.span.start);
        let mut shops: BTreeMap<String, StoreName> = BTreeMap::new();
        for (name, place) in places {
            let Some(store) = self.stores.get(&name) else { continue };
            let theirs = self.systems.get(&store.system).and_then(|system| system.settings.get("shop"));
            let differs = theirs.filter(|theirs| !theirs.contains(':') && !theirs.eq_ignore_ascii_case(&store.shop));
            let differs = differs.map(|theirs| format!("system {}, which reads it, has {theirs}", store.system));
            let (what, mend) = match (shops.get(&store.shop.to_lowercase()), differs) {
                (Some(other), _) => {
                    (format!("store '{other}' is this shop already"), "give each store a shop of its own, or drop one")
                }
                (None, Some(what)) => (what, "write the same shop in both places"),
                (None, None) => {
                    shops.insert(store.shop.to_lowercase(), name);
                    continue;
                }
            };
            self.problems.error("WB-P025", &place, what, mend);
        }
    }

    /// A place in a system is one location: what it holds would count twice.
    fn check_locations(&mut self) {
        let mut named: Vec<(Place, SystemName, String, String)> = Vec::new();
        for (location, names) in &self.locations {
            for (system, name) in names {
                let place = self.location_places.get(&format!("{location}.{system}"));
                named.extend(place.map(|place| (place.clone(), system.clone(), name.clone(), location.clone())));
            }
        }
        named.sort_by_key(|(place, ..)| place.span.start);
        let mut places: BTreeMap<(SystemName, String), String> = BTreeMap::new();
        for (place, system, name, location) in named {
            match places.entry((system, name)) {
                Entry::Vacant(entry) => {
                    entry.insert(location);
                }
                Entry::Occupied(entry) => {
                    let (system, name) = entry.key();
                    let what = format!("'{name}' of {system} is the location '{}' already", entry.get());
                    let mend = "give each location its own place in the system";
                    self.problems.error("WB-P025", &place, what, mend);
                }
            }
        }
    }

    /// Whether some system of the plan can do something, as far as this reader knows their connectors.
    pub(super) fn somebody_can(&self, capability: Capability) -> bool {
        self.systems.keys().any(|name| self.descriptor(name).is_none_or(|descriptor| descriptor.can(capability)))
    }
}
