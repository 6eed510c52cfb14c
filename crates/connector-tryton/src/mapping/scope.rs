//! Which mapped fields of a record that is there may be written.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};
use waybill_domain::document::WritePolicy;

use super::fields;

/// What a policy leaves to be written on a record that is there.
#[derive(Debug, Clone)]
pub(crate) struct Scope<'a> {
    policy: &'a WritePolicy,
    /// Of an adopted record, only these.
    only: Option<BTreeSet<String>>,
    /// Whether kept fields are filled where the record's own value is empty.
    fills: bool,
}

impl<'a> Scope<'a> {
    pub(crate) const fn new(policy: &'a WritePolicy, only: Option<BTreeSet<String>>, fills: bool) -> Self {
        Self { policy, only, fills }
    }

    /// Whether nothing but some of the mapped fields is ours.
    pub(crate) const fn is_fields_only(&self) -> bool {
        self.only.is_some()
    }

    /// The fields that may be written on a record with these values.
    pub(crate) fn writable(&self, ours: &Map<String, Json>, row: &Map<String, Json>) -> Map<String, Json> {
        let may = |name: &str| {
            let is_kept = self.policy.keep.contains(name);
            self.only.as_ref().is_none_or(|only| only.contains(name))
                && (!is_kept || (self.fills && fields::is_empty(row.get(name).unwrap_or(&Json::Null))))
        };
        ours.iter().filter(|(name, _)| may(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Those of them whose value is another one.
    pub(crate) fn changes(&self, ours: &Map<String, Json>, row: &Map<String, Json>) -> Map<String, Json> {
        fields::differing(&self.writable(ours, row), row)
    }
}

/// The names of fields as they are remembered.
pub(crate) fn names_to_text(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

/// The same read again.
pub(crate) fn names_of_text(text: &str) -> BTreeSet<String> {
    text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Map, Value as Json, json};
    use waybill_domain::document::WritePolicy;

    use super::{Scope, names_of_text, names_to_text};

    fn object(value: Json) -> Map<String, Json> {
        value.as_object().unwrap().clone()
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_kept_field_is_filled_on_adoption_and_never_changed() {
        let policy = WritePolicy { keep: names(&["comment"]), ..WritePolicy::default() };
        let ours = object(json!({"comment": "ours", "description": "ours"}));
        let changes = |fills: bool, comment: Json| {
            let row = object(json!({"comment": comment, "description": "theirs"}));
            Scope::new(&policy, None, fills).changes(&ours, &row)
        };
        let both = object(json!({"comment": "ours", "description": "ours"}));
        let one = object(json!({"description": "ours"}));
        assert_eq!(changes(true, Json::Null), both);
        assert_eq!(changes(true, json!("")), both);
        assert_eq!(changes(true, json!("theirs")), one);
        assert_eq!(changes(false, Json::Null), one);
    }

    #[test]
    fn of_some_records_only_some_fields_are_ours() {
        let policy = WritePolicy::default();
        let scope = Scope::new(&policy, Some(names(&["comment"])), true);
        let ours = object(json!({"comment": "ours", "description": "ours"}));
        assert_eq!(scope.changes(&ours, &Map::new()), object(json!({"comment": "ours"})));
    }

    #[test]
    fn names_are_remembered() {
        for set in [names(&[]), names(&["comment"]), names(&["a", "b"])] {
            assert_eq!(names_of_text(&names_to_text(&set)), set);
        }
    }
}
