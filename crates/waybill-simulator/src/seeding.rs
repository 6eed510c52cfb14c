//! What the other simulated systems hold before the day begins, made from the [`crate::catalogue`].

use crate::{
    catalogue::{self, ItemKind},
    tryton::{Country, Item, ItemKind as Kind, Location, Setup, Stock, Subdivision, Tax, TaxRounding, User},
};

/// The ERP's database name.
pub const ERP_DATABASE: &str = "waybill";

/// The ERP's user and password.
pub const ERP_USER: (&str, &str) = ("waybill", "simulated-erp");

/// The shop's books: its items with stock by place, its taxes, rounded by line as the store does, and the countries
/// that it sells to. A real Tryton is filled from the same JSON.
pub fn erp() -> Setup {
    let goods = catalogue::ITEMS.iter().map(|item| {
        let kind = if item.kind == ItemKind::Goods { Kind::Goods } else { Kind::Service };
        let places = catalogue::LOCATIONS.iter().zip(item.stock);
        let stock = Stock::At(
            places.filter(|(_, units)| *units > 0).map(|(place, units)| (place.code.to_owned(), units)).collect(),
        );
        Item { code: item.code.to_owned(), name: item.name(), price: item.price(), category: None, kind, stock }
    });
    let shipping = Item {
        code: catalogue::SHIPPING_ITEM.to_owned(),
        name: "Shipping".to_owned(),
        price: rust_decimal::Decimal::new(catalogue::SHIPPING[0].cents, 2),
        category: None,
        kind: Kind::Service,
        stock: Stock::default(),
    };
    let country = |code: &str, name: &str, subdivisions: &[(&str, &str, &str)]| Country {
        code: code.to_owned(),
        name: name.to_owned(),
        subdivisions: subdivisions
            .iter()
            .map(|(code, name, kind)| Subdivision {
                code: (*code).to_owned(),
                name: (*name).to_owned(),
                kind: (*kind).to_owned(),
            })
            .collect(),
    };
    Setup {
        company: "Waldgang GmbH".to_owned(),
        currency: catalogue::CURRENCY.to_owned(),
        user: User { login: ERP_USER.0.to_owned(), password: ERP_USER.1.to_owned() },
        items: goods.chain([shipping]).collect(),
        taxes: catalogue::TAXES.iter().map(|tax| Tax { name: tax.title.to_owned(), rate: tax.rate() }).collect(),
        tax_rounding: TaxRounding::Line,
        locations: catalogue::LOCATIONS
            .iter()
            .map(|place| Location { code: place.code.to_owned(), name: place.name.to_owned() })
            .collect(),
        countries: vec![
            country("AT", "Austria", &[]),
            country("DE", "Germany", &[]),
            country("CH", "Switzerland", &[]),
            country("GB", "United Kingdom", &[]),
            country("CA", "Canada", &[("CA-BC", "British Columbia", "province")]),
            country("US", "United States", &[("US-NY", "New York", "state")]),
            country("JP", "Japan", &[("JP-13", "Tōkyō", "prefecture")]),
        ],
    }
}
