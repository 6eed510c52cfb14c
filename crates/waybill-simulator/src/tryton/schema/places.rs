//! `trytond_country`, `trytond_currency`, `trytond_company` and the locations of `trytond_stock`.

use super::{
    Direction::Ascending,
    Kind::{Char, Float, Integer, Many2One, Numeric, One2Many, Selection},
    Model, active, field, id, rec_name,
};

pub(super) static COUNTRY: Model = Model {
    name: "country.country",
    label: "Country",
    fields: &[
        active(),
        field("code", "Code", Char).indexed(),
        id(),
        field("name", "Name", Char).required(),
        rec_name(),
        field("subdivisions", "Subdivisions", One2Many("country.subdivision", "country")),
    ],
    others: &["code3", "code_numeric", "flag", "members", "organizations", "region"],
    order: &[("name", Ascending), ("id", Ascending)],
    buttons: &[],
    writable: false,
};

pub(super) static SUBDIVISION: Model = Model {
    name: "country.subdivision",
    label: "Country Subdivision",
    fields: &[
        active(),
        field("code", "Code", Char).indexed(),
        field("country", "Country", Many2One("country.country")).required(),
        id(),
        field("name", "Name", Char).required(),
        rec_name(),
        field("type", "Type", Char),
    ],
    others: &["flag", "parent"],
    order: &[("code", Ascending), ("id", Ascending)],
    buttons: &[],
    writable: false,
};

pub(super) static CURRENCY: Model = Model {
    name: "currency.currency",
    label: "Currency",
    fields: &[
        active(),
        field("code", "Code", Char).required().indexed(),
        field("digits", "Digits", Integer).required(),
        id(),
        field("name", "Name", Char).required(),
        rec_name(),
        field("rounding", "Rounding factor", Numeric(None)).required(),
        field("symbol", "Symbol", Char),
    ],
    others: &["numeric_code", "rate", "rates"],
    order: &[("code", Ascending), ("id", Ascending)],
    buttons: &[],
    writable: false,
};

pub(super) static COMPANY: Model = Model {
    name: "company.company",
    label: "Company",
    fields: &[
        field("currency", "Currency", Many2One("currency.currency")).required(),
        id(),
        field("party", "Party", Many2One("party.party")).required(),
        rec_name(),
    ],
    others: &["employees", "footer", "header", "logo", "logo_cache", "tax_identifiers", "timezone"],
    order: &[("id", Ascending)],
    buttons: &[],
    writable: false,
};

const LOCATION_TYPES: &[&str] =
    &["supplier", "customer", "lost_found", "warehouse", "storage", "production", "drop", "rental", "view"];

pub(super) static LOCATION: Model = Model {
    name: "stock.location",
    label: "Stock Location",
    fields: &[
        active(),
        field("code", "Code", Char).indexed(),
        id(),
        field("input_location", "Input", Many2One("stock.location")),
        field("name", "Name", Char).required(),
        field("output_location", "Output", Many2One("stock.location")),
        field("parent", "Parent", Many2One("stock.location")),
        rec_name(),
        field("storage_location", "Storage", Many2One("stock.location")),
        field("type", "Type", Selection(LOCATION_TYPES)),
    ],
    others: &[
        "address",
        "allow_pickup",
        "childs",
        "cost_value",
        "flat_childs",
        "forecast_quantity",
        "left",
        "lost_found_location",
        "picking_location",
        "quantity",
        "quantity_uom",
        "right",
        "waste_locations",
        "waste_warehouses",
    ],
    order: &[("name", Ascending), ("id", Ascending)],
    buttons: &[],
    writable: false,
};

/// What lies where: Tryton adds up its moves, this simulator keeps the sum.
pub(super) static LEVEL: Model = Model {
    name: "-stock.level",
    label: "",
    fields: &[
        id(),
        field("location", "", Many2One("stock.location")),
        field("product", "", Many2One("product.product")),
        field("quantity", "", Float),
    ],
    others: &[],
    order: &[("id", Ascending)],
    buttons: &[],
    writable: false,
};
