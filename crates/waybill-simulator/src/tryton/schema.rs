//! The models and their fields: names, labels and types as Tryton's modules define them.

mod goods;
mod people;
mod places;
mod sales;

use super::trouble::{Outcome, Trouble};

/// A model.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    /// Sorted by name: the order in which Tryton validates them.
    pub(super) fields: &'static [Field],
    /// Fields that Tryton has and this simulator does not keep.
    pub(super) others: &'static [&'static str],
    /// How a search without an order sorts.
    pub(super) order: &'static [(&'static str, Direction)],
    pub(super) buttons: &'static [&'static str],
    /// Whether callers may create, write and delete here.
    pub(super) writable: bool,
}

/// How a field sorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Ascending,
    Descending,
    /// Descending, with nulls before all.
    DescendingNullsFirst,
}

/// A field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
    pub(super) readonly: bool,
    /// Computed when it is read (`fields.Function`).
    pub(super) computed: bool,
    /// Found by an index.
    pub(super) indexed: bool,
}

/// A field's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Integer,
    /// One line, stripped of blanks at both ends.
    Char,
    /// One line as it comes.
    RawChar,
    /// Many lines.
    Text,
    /// Exact; so many digits after the point at most.
    Numeric(Option<u32>),
    /// A quantity, whose digits are its unit's.
    Float,
    Date,
    Selection(&'static [&'static str]),
    Many2One(&'static str),
    /// A record of one of these models, as `model,id`.
    Reference(&'static [&'static str]),
    /// The records of a model whose field points here.
    One2Many(&'static str, &'static str),
    Many2Many(&'static str),
    /// Several words of a list.
    MultiSelection,
}

const fn field(name: &'static str, label: &'static str, kind: Kind) -> Field {
    Field { name, label, kind, required: false, readonly: false, computed: false, indexed: false }
}

impl Field {
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }
    const fn readonly(mut self) -> Self {
        self.readonly = true;
        self
    }
    const fn computed(mut self) -> Self {
        self.computed = true;
        self
    }
    const fn indexed(mut self) -> Self {
        self.indexed = true;
        self
    }
}

const fn id() -> Field {
    field("id", "ID", Kind::Integer).readonly()
}

const fn rec_name() -> Field {
    field("rec_name", "Record Name", Kind::Char).readonly().computed()
}

const fn active() -> Field {
    field("active", "Active", Kind::Boolean)
}

/// Fields that every model has and nobody here reads.
const EVERYWHERE: &[&str] = &["create_date", "create_uid", "last_modified_at", "write_date", "write_uid", "xml_id"];

static MODELS: &[&Model] = &[
    &people::PARTY,
    &people::CONTACT_MECHANISM,
    &people::IDENTIFIER,
    &people::ADDRESS,
    &people::SUBDIVISION_TYPE,
    &places::COUNTRY,
    &places::SUBDIVISION,
    &places::CURRENCY,
    &places::COMPANY,
    &places::LOCATION,
    &places::LEVEL,
    &goods::TEMPLATE,
    &goods::PRODUCT,
    &goods::CATEGORY,
    &goods::UOM,
    &goods::TAX,
    &goods::INVENTORY,
    &goods::INVENTORY_LINE,
    &sales::SALE,
    &sales::LINE,
    &sales::PAYMENT_TERM,
    &sales::INVOICE,
    &sales::SHIPMENT,
    &sales::SHIPMENT_RETURN,
    &sales::MOVE,
];

/// Modules whose models Tryton has, though not all are kept here.
const MODULES: &[&str] =
    &["account", "company", "country", "currency", "ir", "party", "product", "res", "sale", "stock"];

/// The model of a name.
pub(super) fn model(name: &str) -> Outcome<&'static Model> {
    if let Some(model) = MODELS.iter().find(|model| model.name == name && !model.name.starts_with('-')) {
        return Ok(model);
    }
    match name.split_once('.') {
        // Made-up names of the known modules are told from real ones by Tryton alone.
        Some((module, _)) if MODULES.contains(&module) => Err(Trouble::not_simulated(format!("the model {name}"))),
        _ => Err(Trouble::key(name)),
    }
}

/// Every model, this simulator's own included.
pub(super) fn all() -> impl Iterator<Item = &'static Model> {
    MODELS.iter().copied()
}

/// A model by the name that this code gives it.
pub(super) fn known(name: &'static str) -> &'static Model {
    MODELS.iter().find(|model| model.name == name).expect("the schema names its own models")
}

impl Model {
    /// The field that a caller names.
    pub(super) fn field(&self, name: &str) -> Outcome<&'static Field> {
        // A name that begins so is this simulator's own.
        if let Some(field) = self.find(name).filter(|_| !name.starts_with('~')) {
            return Ok(field);
        }
        if EVERYWHERE.contains(&name) || self.others.contains(&name) {
            return Err(Trouble::not_simulated(format!("the field {}.{name}", self.name)));
        }
        Err(Trouble::key(name))
    }

    /// A field by the name that this code gives it.
    pub(super) fn known(&self, name: &str) -> &'static Field {
        self.find(name).expect("the schema names its own fields")
    }

    fn find(&self, name: &str) -> Option<&'static Field> {
        // The models are statics, so a field outlives the borrow of its model.
        known(self.name).fields.iter().find(|field| field.name == name)
    }

    /// Whether inactive records are hidden from a search.
    pub(super) fn hides_inactive(&self) -> bool {
        self.fields.iter().any(|field| field.name == "active")
    }
}

#[cfg(test)]
mod tests {
    use super::MODELS;

    #[test]
    fn fields_are_sorted_as_tryton_validates_them() {
        for model in MODELS {
            let names: Vec<_> = model.fields.iter().map(|field| field.name).collect();
            let mut sorted = names.clone();
            sorted.sort_unstable();
            assert_eq!(names, sorted, "{}", model.name);
        }
    }
}
