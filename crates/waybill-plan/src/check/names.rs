//! Names: which there are, and whether what is named can do what the place asks for.

use std::str::FromStr;

use waybill_domain::{
    Kind, StoreName, SystemName,
    descriptor::{Capability, Descriptor},
};

use super::{Reading, Section};
use crate::{
    diagnostic::{Place, nearest},
    read::At,
    schema::{self, Type},
    typing::Scope,
};

/// Whether a name is not there. One of a section that could not be read may well be.
fn lacks(section: &Section, name: &str) -> bool {
    section.as_ref().is_some_and(|names| !names.contains(name))
}

/// A mending that names what there is.
fn near(section: &Section, name: &str) -> String {
    nearest(name, section.iter().flatten().map(String::as_str))
}

impl<'a> Reading<'a, '_> {
    pub(super) fn connector(&self, name: &str) -> Option<&'a Descriptor> {
        self.connectors.descriptors().iter().find(|descriptor| descriptor.connector == name)
    }

    /// What a system's connector says of itself; `None` if it is another service's to know.
    pub(super) fn descriptor(&self, system: &SystemName) -> Option<&'a Descriptor> {
        self.systems.get(system).and_then(|system| self.connector(&system.connector))
    }

    /// A name that somebody chose.
    pub(super) fn name<T: FromStr>(&mut self, name: &At<String>) -> Option<T> {
        let parsed = name.value.parse().ok();
        if parsed.is_none() {
            let near = name.value.trim().to_lowercase().replace([' ', '_', '.'], "-");
            let near = near.parse::<T>().ok().map(|_| format!(", such as '{near}'")).unwrap_or_default();
            let mend = format!("write 1 to 32 of a-z, 0-9 and -{near}");
            self.problems.error("WB-P001", &name.place, format!("'{}' cannot be a name", name.value), mend);
        }
        parsed
    }

    pub(super) fn system(&mut self, name: &At<String>) -> Option<SystemName> {
        let found = name.value.parse().ok().filter(|name| self.systems.contains_key(name));
        if found.is_none() && lacks(&self.named.systems, &name.value) {
            let by_vendor: Vec<&SystemName> = self
                .systems
                .iter()
                .filter(|(_, system)| system.connector == name.value)
                .map(|(name, _)| name)
                .collect();
            let mend = match by_vendor[..] {
                [one] => format!("did you mean '{one}'? That is its connector"),
                _ => near(&self.named.systems, &name.value),
            };
            self.problems.error("WB-P003", &name.place, format!("there is no system '{}'", name.value), mend);
        }
        found
    }

    pub(super) fn system_place(&self, name: &SystemName) -> Place {
        self.system_places.get(name).cloned().unwrap_or_else(|| Place::new("systems", 0..0))
    }

    pub(super) fn store(&mut self, name: &At<String>) -> Option<StoreName> {
        let found = name.value.parse().ok().filter(|name| self.stores.contains_key(name));
        if found.is_none() && lacks(&self.named.stores, &name.value) {
            let mend = near(&self.named.stores, &name.value);
            self.problems.error("WB-P018", &name.place, format!("there is no store '{}'", name.value), mend);
        }
        found
    }

    pub(super) fn location(&mut self, name: &At<String>) -> Option<String> {
        if lacks(&self.named.locations, &name.value) {
            let mend = near(&self.named.locations, &name.value);
            self.problems.error("WB-P027", &name.place, format!("there is no location '{}'", name.value), mend);
            return None;
        }
        Some(name.value.clone())
    }

    /// A system that must be able to do something.
    pub(super) fn able(
        &mut self,
        name: &At<String>,
        capability: Capability,
        what: &str,
        mend: &str,
    ) -> Option<SystemName> {
        let system = self.system(name)?;
        let Some(descriptor) = self.descriptor(&system).filter(|descriptor| !descriptor.can(capability)) else {
            return Some(system);
        };
        let title = descriptor.title;
        let able = self.able_systems(capability);
        let mend = match able[..] {
            [] => mend.to_owned(),
            _ => format!("name one that can: {}", able.join(", ")),
        };
        self.problems.error("WB-P004", &name.place, format!("{system} is {title}, which {what}"), mend);
        None
    }

    /// The plan's systems that can do something.
    pub(super) fn able_systems(&self, capability: Capability) -> Vec<&str> {
        let can = |name: &&SystemName| self.descriptor(name).is_some_and(|descriptor| descriptor.can(capability));
        self.systems.keys().filter(can).map(SystemName::as_str).collect()
    }

    /// What expressions over records of a kind can name; `stores` are those whose records come by, all if there are
    /// none.
    pub(super) fn scope(&self, kind: Option<Kind>, stores: &[StoreName]) -> Scope {
        let comes = |name: &StoreName| stores.is_empty() || stores.contains(name);
        let stores: Vec<_> = self.stores.iter().filter(|(name, _)| comes(name)).collect();
        let mut channels: Vec<String> = stores.iter().map(|(_, store)| store.channel.clone()).collect();
        channels.sort();
        channels.dedup();
        // Of a section that could not be read nothing is known.
        let words = |words: Vec<String>| match &self.named.stores {
            Some(named) if named.len() == self.stores.len() => Type::Word(words),
            _ => Type::Text,
        };
        let mut names = vec![
            ("store".to_owned(), words(stores.iter().map(|(name, _)| name.to_string()).collect())),
            ("channel".to_owned(), words(channels)),
            ("totals".to_owned(), schema::totals()),
            ("tables".to_owned(), Type::Tables),
        ];
        if let Some(kind) = kind {
            names.push((schema::variable(kind), schema::of_kind(kind)));
        }
        let tables = self.named.tables.as_ref().map(|names| names.iter().cloned().collect());
        Scope::new(names, tables)
    }
}
