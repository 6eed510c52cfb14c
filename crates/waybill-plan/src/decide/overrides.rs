//! Values that a person gave in place of the plan's.
//!
//! As DESIGN has it, an edit is an override of one value with a reason, and lapses when the source changes that value:
//! it stands as long as the plan by itself comes to what it came to when the person looked at it.

use std::{cell::RefCell, collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use waybill_domain::{Personal, customer::Address, document::FieldValue};

use super::Unfit;

/// A value that a person gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// What is written; `Null` clears.
    pub value: FieldValue,
    /// [`Planned::mark`] of what the plan came to; `None` takes the value's place whatever the plan comes to.
    pub instead_of: Option<String>,
}

/// By where the value stands: `priority` is a mapped field, `customer.phone` the buyer's, `lines.0.item` a line's,
/// `shipping_address.zip` an address's.
pub type Overrides = BTreeMap<String, Override>;

/// What the plan by itself comes to for one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The value, `None` where the map leaves it out; or why it cannot be computed.
    pub value: Result<Option<FieldValue>, String>,
    /// Tells it from anything else that the plan may come to.
    pub mark: String,
}

impl Planned {
    /// Of a part of the record, by its id there; empty for the record itself.
    fn of(part: &str, planned: &Result<Option<FieldValue>, Unfit>) -> Self {
        let value = match planned {
            Ok(value) => Ok(value.clone()),
            Err(unfit) => Err(unfit.message.clone()),
        };
        let json = serde_json::to_vec(&(part, &value)).expect("values have string keys only");
        let mark = Sha256::digest(&json).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { value, mark }
    }
}

/// The overrides of a decision, with what the plan came to in their places if that is asked for.
pub(super) struct Edits<'a> {
    given: &'a Overrides,
    seen: Option<RefCell<BTreeMap<String, Planned>>>,
}

impl<'a> Edits<'a> {
    pub(super) const fn new(given: &'a Overrides) -> Self {
        Self { given, seen: None }
    }

    pub(super) fn watched(given: &'a Overrides) -> Self {
        Self { given, seen: Some(RefCell::default()) }
    }

    pub(super) fn into_seen(self) -> BTreeMap<String, Planned> {
        self.seen.map(RefCell::into_inner).unwrap_or_default()
    }

    /// Whether nobody has given anything, and nobody looks.
    fn is_idle(&self) -> bool {
        self.given.is_empty() && self.seen.is_none()
    }

    /// A value as it is written: the person's, or else the plan's.
    pub(super) fn value(
        &self,
        path: fmt::Arguments<'_>,
        planned: Result<Option<FieldValue>, Unfit>,
    ) -> Result<Option<FieldValue>, Unfit> {
        self.value_of("", path, planned)
    }

    /// The same of a part that may stand elsewhere in the record's next revision, such as a line: what is given for it
    /// is not for whatever stands in its place then.
    fn value_of(
        &self,
        part: &str,
        path: fmt::Arguments<'_>,
        planned: Result<Option<FieldValue>, Unfit>,
    ) -> Result<Option<FieldValue>, Unfit> {
        if self.is_idle() {
            return planned;
        }
        let path = path.to_string();
        let by_itself = Planned::of(part, &planned);
        let given = self.given.get(&path).filter(|given| match &given.instead_of {
            Some(mark) => *mark == by_itself.mark,
            None => true,
        });
        let value = given.map_or(planned, |given| Ok(Some(given.value.clone())));
        let Some(seen) = &self.seen else { return value };
        seen.borrow_mut().insert(path, by_itself);
        // Whoever looks wants to see what is behind it, too.
        Ok(value.unwrap_or_default())
    }

    /// The same for a text that has to be there.
    pub(super) fn text_of(
        &self,
        part: &str,
        path: fmt::Arguments<'_>,
        planned: Result<String, Unfit>,
    ) -> Result<String, Unfit> {
        if self.is_idle() {
            return planned;
        }
        match self.value_of(part, path, planned.clone().map(|text| Some(FieldValue::Text(text.into()))))? {
            Some(value) if value != FieldValue::Null => Ok(value.to_text()),
            _ if self.seen.is_some() => Ok(planned.unwrap_or_default()),
            _ => planned,
        }
    }

    /// The same for what names a person.
    pub(super) fn personal(&self, path: fmt::Arguments<'_>, planned: &mut Personal) {
        if self.is_idle() {
            return;
        }
        if let Ok(Some(value)) = self.value(path, Ok(Some(FieldValue::Text(planned.clone())))) {
            *planned = value.to_text().into();
        }
    }

    /// The same for an address.
    pub(super) fn address(&self, path: &str, planned: Option<&Address>) -> Option<Address> {
        let mut address = planned?.clone();
        if self.is_idle() {
            return Some(address);
        }
        let parts = [
            ("first_name", &mut address.first_name),
            ("last_name", &mut address.last_name),
            ("company", &mut address.company),
            ("address1", &mut address.address1),
            ("address2", &mut address.address2),
            ("city", &mut address.city),
            ("zip", &mut address.zip),
            ("phone", &mut address.phone),
        ];
        for (part, value) in parts {
            self.personal(format_args!("{path}.{part}"), value);
        }
        let parts = [
            ("province", &mut address.province),
            ("province_code", &mut address.province_code),
            ("country", &mut address.country),
            ("country_code", &mut address.country_code),
        ];
        for (part, value) in parts {
            let mut text = Personal::from(std::mem::take(value));
            self.personal(format_args!("{path}.{part}"), &mut text);
            text.expose().clone_into(value);
        }
        Some(address)
    }
}
