//! The records, with the indexes that make them quick to find and the log that undoes a refused call.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    TaxRounding,
    schema::{self, Kind, Model},
    value::{Id, Value},
};

/// A record's stored values by field.
pub(super) type Record = BTreeMap<&'static str, Value>;

#[derive(Debug, Default)]
struct Table {
    last: Id,
    rows: BTreeMap<Id, Record>,
}

/// All records.
#[derive(Debug, Default)]
pub(super) struct Store {
    tables: HashMap<&'static str, Table>,
    /// Who points to whom: (model, many2one field, target) → records.
    pointing: HashMap<(&'static str, &'static str, Id), BTreeSet<Id>>,
    /// Texts of indexed fields: (model, field, text) → records.
    texts: HashMap<(&'static str, &'static str, String), BTreeSet<Id>>,
    undo: Vec<(&'static str, Id, Option<Record>)>,
    /// What this call has written, for the journal.
    pub(super) written: Vec<Written>,
    pub(super) tax_rounding: TaxRounding,
    numbers: HashMap<&'static str, u64>,
}

/// One accepted write.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) action: String,
    pub(super) model: &'static str,
    pub(super) id: Id,
    pub(super) reference: String,
    pub(super) body: serde_json::Value,
}

impl Store {
    /// The record, if it is there.
    pub(super) fn get(&self, model: &Model, id: Id) -> Option<&Record> {
        self.tables.get(model.name)?.rows.get(&id)
    }

    /// A stored value; null where there is none.
    pub(super) fn value(&self, model: &Model, id: Id, field: &str) -> Value {
        self.get(model, id).and_then(|record| record.get(field)).cloned().unwrap_or(Value::Null)
    }

    /// Every id, ascending.
    pub(super) fn ids(&self, model: &Model) -> Vec<Id> {
        self.tables.get(model.name).map(|table| table.rows.keys().copied().collect()).unwrap_or_default()
    }

    /// The records whose many2one `field` is `target`, ascending.
    pub(super) fn pointing_to(&self, model: &'static str, field: &'static str, target: Id) -> Vec<Id> {
        self.pointing.get(&(model, field, target)).map(|ids| ids.iter().copied().collect()).unwrap_or_default()
    }

    /// The records whose indexed `field` is `text`, ascending.
    pub(super) fn with_text(&self, model: &'static str, field: &'static str, text: &str) -> Vec<Id> {
        self.texts.get(&(model, field, text.to_owned())).map(|ids| ids.iter().copied().collect()).unwrap_or_default()
    }

    /// Adds a record.
    pub(super) fn insert(&mut self, model: &'static Model, record: Record) -> Id {
        let table = self.tables.entry(model.name).or_default();
        table.last += 1;
        let id = table.last;
        self.replace(model, id, Some(record));
        id
    }

    /// Sets one value of a record that is there.
    pub(super) fn set(&mut self, model: &'static Model, id: Id, field: &'static str, value: Value) {
        if let Some(record) = self.get(model, id) {
            let mut record = record.clone();
            record.insert(field, value);
            self.replace(model, id, Some(record));
        }
    }

    /// Takes a record away.
    pub(super) fn remove(&mut self, model: &'static Model, id: Id) {
        self.replace(model, id, None);
    }

    /// The next number of a sequence, as text: `1`, `2`, …
    pub(super) fn number(&mut self, model: &'static Model) -> Value {
        let number = self.numbers.entry(model.name).or_default();
        *number += 1;
        Value::text(number.to_string())
    }

    /// Keeps what was written since the last commit or rollback and tells it.
    pub(super) fn commit(&mut self) -> Vec<Written> {
        self.undo.clear();
        std::mem::take(&mut self.written)
    }

    /// Undoes what was written since the last commit or rollback.
    pub(super) fn rollback(&mut self) {
        while let Some((name, id, record)) = self.undo.pop() {
            self.put(schema::known(name), id, record);
        }
        self.written.clear();
    }

    fn replace(&mut self, model: &'static Model, id: Id, record: Option<Record>) {
        let before = self.put(model, id, record);
        self.undo.push((model.name, id, before));
    }

    fn put(&mut self, model: &'static Model, id: Id, record: Option<Record>) -> Option<Record> {
        let rows = &mut self.tables.entry(model.name).or_default().rows;
        let before = match record.clone() {
            Some(record) => rows.insert(id, record),
            None => rows.remove(&id),
        };
        for (record, there) in [(&before, false), (&record, true)] {
            let Some(record) = record else { continue };
            for field in model.fields {
                self.index(model, field, record.get(field.name), id, there);
            }
        }
        before
    }

    fn index(&mut self, model: &Model, field: &'static schema::Field, value: Option<&Value>, id: Id, there: bool) {
        let entry = match (field.kind, value) {
            (Kind::Many2One(_), Some(Value::Integer(target))) => {
                self.pointing.entry((model.name, field.name, *target)).or_default()
            }
            (_, Some(Value::Text(text))) if field.indexed => {
                self.texts.entry((model.name, field.name, text.clone())).or_default()
            }
            _ => return,
        };
        if there {
            entry.insert(id);
        } else {
            entry.remove(&id);
        }
    }
}
