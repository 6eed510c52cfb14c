//! What the account holds: records by kind with their unique values, property definitions, associations.

use std::collections::{BTreeMap, HashMap};

use super::{
    answers::{Detail, Refusal},
    associations::Associations,
    catalogue::{self, ADDITIONAL_EMAILS},
    emails::{self, EMAIL},
    phones,
    property::Property,
    record::{Kind, Record},
    values,
};

/// A group of properties.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) display_order: i64,
}

/// One kind's records and definitions.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) records: BTreeMap<u64, Record>,
    pub(super) properties: BTreeMap<String, Property>,
    pub(super) groups: BTreeMap<String, Group>,
    /// Unique property → value → record.
    unique: HashMap<String, HashMap<String, u64>>,
    next_id: u64,
}

/// The account.
#[derive(Debug)]
pub(super) struct Account {
    tables: BTreeMap<Kind, Table>,
    pub(super) associations: Associations,
    /// The country code of phone numbers that are written without one.
    country_code: Option<String>,
}

/// How a record came to be written, which decides what HubSpot says of a value that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Create,
    Update,
    Upsert,
}

/// A write that took effect.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) id: u64,
    /// The names and stored values of what the request set.
    pub(super) accepted: BTreeMap<String, String>,
    /// The record as it was; `None` if it is new.
    before: Option<Record>,
    /// Whether anything is different now.
    pub(super) changed: bool,
}

impl Written {
    pub(super) fn is_new(&self) -> bool {
        self.before.is_none()
    }
}

impl Account {
    pub(super) fn new(country_code: Option<String>) -> Self {
        let tables = Kind::ALL.into_iter().map(|kind| (kind, Table::new(kind))).collect();
        Self { tables, associations: Associations::default(), country_code }
    }

    pub(super) fn table(&self, kind: Kind) -> &Table {
        self.tables.get(&kind).expect("every kind has a table")
    }

    pub(super) fn table_mut(&mut self, kind: Kind) -> &mut Table {
        self.tables.get_mut(&kind).expect("every kind has a table")
    }

    /// A record that is not archived.
    pub(super) fn record(&self, kind: Kind, id: u64) -> Option<&Record> {
        self.table(kind).records.get(&id).filter(|record| record.archived_ms.is_none())
    }

    /// The record that has this value of a unique property, or this id.
    pub(super) fn find(&self, kind: Kind, id_property: Option<&str>, id: &str) -> Result<Option<u64>, Refusal> {
        let table = self.table(kind);
        match id_property {
            None | Some("hs_object_id") => {
                Ok(id.parse().ok().and_then(|id| self.record(kind, id)).map(|record| record.id))
            }
            Some(name) => {
                let Some(property) = table.property(name) else {
                    return Err(Refusal::values(&[unknown_property(name)]));
                };
                if !property.unique {
                    // Seen.
                    return Err(Refusal::validation(format!(
                        "Unable to perform update/upsert by non-unique {} property {name}",
                        kind.type_id()
                    )));
                }
                Ok(table.holder(name, id))
            }
        }
    }

    /// Everything wrong with the values of one input.
    pub(super) fn wrong_values(&self, kind: Kind, properties: &BTreeMap<String, String>) -> Vec<Detail> {
        let table = self.table(kind);
        properties
            .iter()
            .filter_map(|(name, value)| match table.property(name) {
                None => Some(unknown_property(name)),
                Some(property) => values::accept(property, value).err(),
            })
            .collect()
    }

    /// Creates a record or updates the one given.
    pub(super) fn write(
        &mut self,
        kind: Kind,
        way: Way,
        target: Option<u64>,
        properties: &BTreeMap<String, String>,
        now_ms: i64,
    ) -> Result<Written, Refusal> {
        let wrong = self.wrong_values(kind, properties);
        if !wrong.is_empty() {
            return Err(Refusal::values(&wrong));
        }
        if target.is_none() {
            self.complete(kind, properties)?;
        }
        let country_code = self.country_code.clone();
        let table = self.table_mut(kind);
        let before = target.and_then(|id| table.records.get(&id).cloned());
        let mut accepted = BTreeMap::new();
        for (name, value) in properties {
            let property = table.property(name).expect("checked above");
            let value = values::accept(property, value).expect("checked above");
            let value = values::added_to(before.as_ref().and_then(|record| record.stored(name)), value);
            accepted.insert(name.clone(), value);
        }
        if let Some((name, value, holder)) = table.taken(&accepted, target) {
            return Err(match way {
                Way::Create if name == EMAIL => Refusal::contact_exists(holder),
                Way::Create | Way::Update | Way::Upsert => {
                    Refusal::taken(kind.legacy_name(), &name, &value, holder, target)
                }
            });
        }
        let mut record = before.clone().unwrap_or_else(|| {
            table.next_id += 1;
            let mut record = Record::new(table.next_id, now_ms);
            for (name, value) in catalogue::set_at_creation(kind) {
                record.set(name, (*value).to_owned(), now_ms);
            }
            record
        });
        let mut changed = before.is_none();
        for (name, value) in &accepted {
            changed |= record.set(name, value.clone(), now_ms);
        }
        if kind == Kind::Contacts {
            emails::arrange(&mut record, before.as_ref(), now_ms);
            for (name, whole, local) in phones::CALCULATED {
                let numbers = phones::calculated(record.stored(name).unwrap_or_default(), country_code.as_deref());
                record.set(whole, numbers.0, now_ms);
                record.set(local, numbers.1, now_ms);
            }
        }
        let id = record.id;
        table.replace(id, Some(record));
        Ok(Written { id, accepted, before, changed })
    }

    /// Takes a write back.
    pub(super) fn undo(&mut self, kind: Kind, written: Written) {
        if written.is_new() {
            self.associations.forget(kind, written.id);
        }
        self.table_mut(kind).replace(written.id, written.before);
    }

    /// Moves a record to the recycling bin.
    pub(super) fn archive(&mut self, kind: Kind, id: u64, now_ms: i64) -> bool {
        let Some(mut record) = self.record(kind, id).cloned() else {
            return false;
        };
        record.archived_ms = Some(now_ms);
        self.table_mut(kind).replace(id, Some(record));
        self.associations.forget(kind, id);
        true
    }

    /// Removes a record with all that is known of it.
    pub(super) fn erase(&mut self, kind: Kind, id: u64) {
        self.table_mut(kind).replace(id, None);
        self.associations.forget(kind, id);
    }

    /// Merges one record into another, which keeps its own values (merge guide).
    pub(super) fn merge(&mut self, kind: Kind, primary: u64, other: u64, now_ms: i64) -> Result<(), Refusal> {
        let (Some(kept), Some(gone)) = (self.record(kind, primary).cloned(), self.record(kind, other).cloned()) else {
            return Err(Refusal::not_found());
        };
        let mut kept = kept;
        emails::gather(&mut kept, &gone, now_ms);
        for (name, value) in gone.all_stored() {
            if kept.stored(name).is_none() {
                kept.set(name, value.to_owned(), now_ms);
            }
        }
        let moved = self.associations.of_record(kind, other);
        self.archive(kind, other, now_ms);
        if let Some(gone) = self.table_mut(kind).records.get_mut(&other) {
            gone.merged_into = Some(primary);
        }
        for (to, to_id) in moved {
            self.associations.add(kind, primary, to, to_id);
        }
        self.table_mut(kind).replace(primary, Some(kept));
        Ok(())
    }

    /// What the record's maker calls it: the value of a unique property that is not HubSpot's own.
    pub(super) fn reference(&self, kind: Kind, id: u64) -> String {
        let table = self.table(kind);
        let Some(record) = table.records.get(&id) else {
            return String::new();
        };
        table
            .properties
            .values()
            .filter(|property| property.unique && !property.hubspot_defined)
            .find_map(|property| record.stored(&property.name))
            .unwrap_or_default()
            .to_owned()
    }

    fn complete(&self, kind: Kind, properties: &BTreeMap<String, String>) -> Result<(), Refusal> {
        let given = |name: &str| properties.get(name).is_some_and(|value| !value.is_empty());
        let missing: Vec<String> =
            kind.required().iter().filter(|name| !given(name)).map(|&name| name.to_owned()).collect();
        let refuse = |names: Vec<String>| {
            // Seen.
            let message = format!("Error creating {}. Some required properties were not set.", kind.legacy_name());
            Err(Refusal::validation(message).with_context("properties", names))
        };
        if !missing.is_empty() {
            return refuse(missing);
        }
        if kind == Kind::Companies && !given("domain") && !given("name") {
            return refuse(vec!["name".to_owned()]);
        }
        Ok(())
    }
}

impl Table {
    fn new(kind: Kind) -> Self {
        let (group, label) = catalogue::default_group(kind);
        let group = Group { name: group.to_owned(), label: label.to_owned(), display_order: -1 };
        let next_id = match kind {
            Kind::Contacts => 171_591_000_000,
            Kind::Orders => 54_805_205_000,
            Kind::Companies => 22_900_000_000,
        };
        Self {
            records: BTreeMap::new(),
            properties: catalogue::default_properties(kind)
                .into_iter()
                .map(|property| (property.name.clone(), property))
                .collect(),
            groups: BTreeMap::from([(group.name.clone(), group)]),
            unique: HashMap::new(),
            next_id,
        }
    }

    /// A definition that is not archived.
    pub(super) fn property(&self, name: &str) -> Option<&Property> {
        self.properties.get(name).filter(|property| property.archived_ms.is_none())
    }

    /// The first of these values that another record than `target` has and that must be unique, with its holder.
    fn taken(&self, values: &BTreeMap<String, String>, target: Option<u64>) -> Option<(String, String, u64)> {
        let other = |property: &str, value: &str| self.holder(property, value).filter(|id| Some(*id) != target);
        values.iter().find_map(|(name, value)| {
            if name == ADDITIONAL_EMAILS {
                let mut each = value.split(';').filter(|one| !one.is_empty());
                return each.find_map(|one| Some((name.clone(), one.to_owned(), other(EMAIL, one)?)));
            }
            let unique = self.property(name).is_some_and(|property| property.unique);
            let holder = other(name, value).filter(|_| unique)?;
            Some((name.clone(), value.clone(), holder))
        })
    }

    /// The record that holds a unique value. E-mails are compared without case.
    fn holder(&self, property: &str, value: &str) -> Option<u64> {
        self.unique.get(property)?.get(&comparable(property, value)).copied()
    }

    /// Puts a record in another's place, keeping the unique values.
    fn replace(&mut self, id: u64, record: Option<Record>) {
        let unique: Vec<&String> =
            self.properties.values().filter(|property| property.unique).map(|property| &property.name).collect();
        for name in unique {
            let holders = self.unique.entry(name.clone()).or_default();
            for value in self.records.get(&id).map(|old| identities(old, name)).unwrap_or_default() {
                holders.remove(&value);
            }
            let new = record.as_ref().filter(|new| new.archived_ms.is_none());
            for value in new.map(|new| identities(new, name)).unwrap_or_default() {
                holders.insert(value, id);
            }
        }
        match record {
            Some(record) => self.records.insert(id, record),
            None => self.records.remove(&id),
        };
    }
}

/// Everything by which a record is found under a unique property: its value, and a contact's other e-mails.
fn identities(record: &Record, property: &str) -> Vec<String> {
    let own = record.stored(property).map(|value| comparable(property, value));
    let others = if property == EMAIL { emails::additional(record) } else { Vec::new() };
    own.into_iter().chain(others).collect()
}

/// The form in which unique values are compared.
pub(super) fn comparable(property: &str, value: &str) -> String {
    if property == EMAIL { value.trim().to_lowercase() } else { value.to_owned() }
}

fn unknown_property(name: &str) -> Detail {
    Detail {
        code: "PROPERTY_DOESNT_EXIST",
        property: name.to_owned(),
        message: format!("Property \"{name}\" does not exist"),
    }
}
