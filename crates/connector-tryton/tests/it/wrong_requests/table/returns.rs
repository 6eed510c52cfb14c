//! Returns, and the origins that make a sale one.

use serde_json::{Value as Json, json};

use super::super::{Wrong, exception, fixture::Fixture, model, sale, user};

pub(super) fn all(fixture: &Fixture) -> Vec<Wrong> {
    let Fixture { party, quotation, parcel, return_without_invoice_address, return_without_warehouse, .. } = fixture;
    let press = |name, button: &'static str| {
        let label = button.rsplit('.').next().unwrap();
        let words = format!("You can not call \"{label}\" on \"1\" of \"Stock Shipment Out Return\".");
        model(name, button, json!([[parcel]]), user(words))
    };
    let quote = |name, sale: &Json, what: &str| {
        let words = format!("To get a quote for sale \"[b]\" you must enter {what}.");
        model(name, "sale.sale.quote", json!([[sale]]), user(words))
    };
    let unpacked = || exception("not enough values to unpack (expected 2, got 1)");
    vec![
        quote("a return without an invoice address", return_without_invoice_address, "an invoice address"),
        quote(
            "a return without a warehouse",
            return_without_warehouse,
            "a warehouse for the line \"-2\u{a0}u [TEE-M] T-shirt M @ [b]\"",
        ),
        press("a return done before it is received", "stock.shipment.out.return.do"),
        press("a return taken back that is a draft", "stock.shipment.out.return.draft"),
        sale(
            fixture,
            "an origin that is a party",
            json!({"origin": format!("party.party,{party}")}),
            user(
                "The value \"party.party\" for field \"Origin\" in record \"[r]\" of \"Sale\" is not one of the allowed options.",
            ),
        ),
        sale(fixture, "an origin without an id", json!({"origin": "x"}), unpacked()),
        sale(fixture, "an origin that is a number", json!({"origin": 5}), unpacked()),
        sale(fixture, "an origin that is empty", json!({"origin": ""}), unpacked()),
        model(
            "an origin after the quotation",
            "sale.sale.write",
            json!([[quotation], {"origin": null}]),
            user("You are not allowed to modify the field \"Origin\" in record \"1 [q]\" of \"Sale\"."),
        ),
    ]
}
