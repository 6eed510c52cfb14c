//! A fresh database, as `bootstrap.py` makes one.

use rust_decimal::Decimal;

use super::{
    Item, ItemKind, Setup, Stock, schema, stock,
    store::{Record, Store},
    value::{Id, Value},
};

/// The accounting category of items that name none.
const CATEGORY: &str = "Sold in the store";

/// Countries for which Tryton's module `party` says which kinds of subdivision an address names.
const SUBDIVISION_TYPES: &[(&str, &[&str])] = &[
    ("ES", &["autonomous city", "province"]),
    ("IT", &["province"]),
    ("ID", &["autonomous province", "province", "special district", "special region"]),
];

/// A database with everything that is needed to sell.
pub(super) fn seeded(setup: &Setup) -> Store {
    let mut store = Store::default();
    store.tax_rounding = setup.tax_rounding;
    let currency = add(&mut store, "currency.currency", currency(&setup.currency));
    company(&mut store, setup, currency);
    let unit = add(
        &mut store,
        "product.uom",
        [
            ("name", Value::text("Unit")),
            ("symbol", Value::text("u")),
            ("digits", Value::Integer(0)),
            ("category", Value::Integer(1)),
        ],
    );
    add(
        &mut store,
        "product.uom",
        [
            ("name", Value::text("Kilogram")),
            ("symbol", Value::text("kg")),
            ("digits", Value::Integer(2)),
            ("category", Value::Integer(2)),
        ],
    );
    add(
        &mut store,
        "stock.location",
        [("code", Value::text("CUS")), ("name", Value::text("Customer")), ("type", Value::text("customer"))],
    );
    let warehouses: Vec<_> = setup
        .locations
        .iter()
        .map(|location| (location.code.clone(), warehouse(&mut store, &location.code, &location.name)))
        .collect();
    for item in &setup.items {
        product(&mut store, item, unit, &warehouses);
    }
    for tax in &setup.taxes {
        add(
            &mut store,
            "account.tax",
            [
                ("company", Value::Integer(1)),
                ("name", Value::text(&tax.name)),
                ("description", Value::text(&tax.name)),
                ("rate", Value::Numeric(tax.rate)),
                ("type", Value::text("percentage")),
            ],
        );
    }
    countries(&mut store, setup);
    store.commit();
    store
}

fn add<const N: usize>(store: &mut Store, model: &'static str, values: [(&'static str, Value); N]) -> Id {
    let model = schema::known(model);
    let mut record = Record::from(values);
    if model.hides_inactive() {
        record.insert("active", Value::Bool(true));
    }
    store.insert(model, record)
}

fn currency(code: &str) -> [(&'static str, Value); 4] {
    let digits = match code {
        "JPY" | "KRW" | "CLP" => 0,
        "KWD" | "BHD" => 3,
        _ => 2,
    };
    [
        ("code", Value::text(code)),
        ("name", Value::text(code)),
        ("digits", Value::Integer(digits)),
        ("rounding", Value::Numeric(Decimal::new(1, u32::try_from(digits).unwrap_or(2)))),
    ]
}

/// The company, whose party is the first and takes the first number.
fn company(store: &mut Store, setup: &Setup, currency: Id) {
    let code = store.number(schema::known("party.party"));
    let party = add(store, "party.party", [("name", Value::text(&setup.company)), ("code", code)]);
    add(store, "party.address", [("party", Value::Integer(party))]);
    add(store, "company.company", [("party", Value::Integer(party)), ("currency", Value::Integer(currency))]);
}

fn warehouse(store: &mut Store, code: &str, name: &str) -> Id {
    let mut zone = |part: &str| {
        add(
            store,
            "stock.location",
            [
                ("code", Value::text(format!("{code}-{part}"))),
                ("name", Value::text(format!("{name} {part}"))),
                ("type", Value::text("storage")),
            ],
        )
    };
    let zones = [zone("input"), zone("output"), zone("storage")];
    let warehouse = add(
        store,
        "stock.location",
        [
            ("code", Value::text(code)),
            ("name", Value::text(name)),
            ("input_location", Value::Integer(zones[0])),
            ("output_location", Value::Integer(zones[1])),
            ("storage_location", Value::Integer(zones[2])),
            ("type", Value::text("warehouse")),
        ],
    );
    for zone in zones {
        store.set(schema::known("stock.location"), zone, "parent", Value::Integer(warehouse));
    }
    warehouse
}

/// An accounting category by its name, made where there is none.
fn category(store: &mut Store, name: &str) -> Id {
    let model = schema::known("product.category");
    let known = store.ids(model).into_iter().find(|id| store.value(model, *id, "name") == Value::text(name));
    known.unwrap_or_else(|| add(store, model.name, [("name", Value::text(name)), ("accounting", Value::Bool(true))]))
}

fn product(store: &mut Store, item: &Item, unit: Id, warehouses: &[(String, Id)]) {
    let category = category(store, item.category.as_deref().unwrap_or(CATEGORY));
    let template = add(
        store,
        "product.template",
        [
            ("account_category", Value::Integer(category)),
            ("name", Value::text(&item.name)),
            ("list_price", Value::Numeric(item.price)),
        ],
    );
    let kind = match item.kind {
        ItemKind::Goods => "goods",
        ItemKind::Service => "service",
    };
    let product = add(
        store,
        "product.product",
        [
            ("code", Value::text(&item.code)),
            ("default_uom", Value::Integer(unit)),
            ("name", Value::text(&item.name)),
            ("salable", Value::Bool(true)),
            ("sale_uom", Value::Integer(unit)),
            ("template", Value::Integer(template)),
            ("type", Value::text(kind)),
        ],
    );
    let first = warehouses.first().map(|(code, _)| code.clone()).unwrap_or_default();
    let levels = match &item.stock {
        Stock::First(quantity) => vec![(first, *quantity)],
        Stock::At(levels) => levels.iter().map(|(code, quantity)| (code.clone(), *quantity)).collect(),
    };
    for (code, quantity) in levels {
        if let Some((_, warehouse)) = warehouses.iter().find(|(known, _)| *known == code) {
            let storage = stock::zone(store, *warehouse, "storage_location");
            stock::add(store, product, storage, Decimal::from(quantity));
        }
    }
}

fn countries(store: &mut Store, setup: &Setup) {
    for country in &setup.countries {
        let id =
            add(store, "country.country", [("code", Value::text(&country.code)), ("name", Value::text(&country.name))]);
        for part in &country.subdivisions {
            add(
                store,
                "country.subdivision",
                [
                    ("code", Value::text(&part.code)),
                    ("country", Value::Integer(id)),
                    ("name", Value::text(&part.name)),
                    ("type", Value::text(&part.kind)),
                ],
            );
        }
    }
    for (code, types) in SUBDIVISION_TYPES {
        let types = Value::Words(types.iter().map(|word| (*word).to_owned()).collect());
        add(store, "party.address.subdivision_type", [("country_code", Value::text(*code)), ("types", types)]);
    }
}
