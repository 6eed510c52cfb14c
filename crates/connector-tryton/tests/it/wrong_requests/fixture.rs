//! The records that the wrong requests are about.

use serde_json::{Value as Json, json};

use crate::bench::Bench;

/// Ids in one Tryton.
pub(super) struct Fixture {
    pub(super) company: Json,
    pub(super) party: Json,
    pub(super) other_party: Json,
    /// A party with one draft.
    pub(super) buyer: Json,
    pub(super) address: Json,
    pub(super) other_address: Json,
    pub(super) mechanism: Json,
    pub(super) product: Json,
    pub(super) unit: Json,
    pub(super) kilogram: Json,
    pub(super) tax: Json,
    pub(super) storage: Json,
    pub(super) germany: Json,
    pub(super) california: Json,
    /// Sales in these states, and such as cannot become quotations.
    pub(super) draft: Json,
    pub(super) empty: Json,
    pub(super) quotation: Json,
    pub(super) processing: Json,
    pub(super) processing_line: Json,
    pub(super) without_invoice_address: Json,
    pub(super) without_shipment_address: Json,
    pub(super) without_warehouse: Json,
    pub(super) return_without_invoice_address: Json,
    pub(super) return_without_warehouse: Json,
    /// A return that nobody has received.
    pub(super) parcel: Json,
}

impl Fixture {
    pub(super) async fn make(bench: &Bench) -> Self {
        let country = one(bench, "country.country", json!([["code", "=", "DE"]])).await;
        let party = made(bench, "party.party", json!({"name": "Ann", "code": "wk1"})).await;
        let other_party = made(bench, "party.party", json!({"name": "Bob", "code": "wk2"})).await;
        let address = |party: &Json, street: &str, city: &str| json!({"party": party, "street": street, "city": city, "country": country});
        let mechanism = json!({"party": party, "type": "email", "value": "ann@example.com"});
        let product = one(bench, "product.product", json!([["code", "=", "TEE-M"]])).await;
        let mut fixture = Self {
            company: bench.vendor.context["company"].clone(),
            address: made(bench, "party.address", address(&party, "Main 1", "Berlin")).await,
            other_address: made(bench, "party.address", address(&other_party, "Side 2", "Bonn")).await,
            mechanism: made(bench, "party.contact_mechanism", mechanism).await,
            unit: bench.vendor.model("product.product.read", json!([[product], ["sale_uom"]])).await[0]["sale_uom"]
                .clone(),
            kilogram: one(bench, "product.uom", json!([["name", "=", "Kilogram"]])).await,
            tax: one(bench, "account.tax", json!([["name", "=", "VAT 19 %"]])).await,
            storage: one(bench, "stock.location", json!([["code", "=", "vienna-storage"]])).await,
            california: one(bench, "country.subdivision", json!([["code", "=", "US-CA"]])).await,
            germany: country.clone(),
            party,
            other_party,
            buyer: made(bench, "party.party", json!({"name": "Cora", "code": "wk3"})).await,
            product,
            draft: Json::Null,
            empty: Json::Null,
            quotation: Json::Null,
            processing: Json::Null,
            processing_line: Json::Null,
            without_invoice_address: Json::Null,
            without_shipment_address: Json::Null,
            without_warehouse: Json::Null,
            return_without_invoice_address: Json::Null,
            return_without_warehouse: Json::Null,
            parcel: Json::Null,
        };
        fixture.make_sales(bench).await;
        fixture
    }

    async fn make_sales(&mut self, bench: &Bench) {
        self.draft = self.made_sale(bench, json!({"reference": "d"})).await;
        let of_buyer = json!({"party": self.buyer, "invoice_address": null, "shipment_address": null});
        self.made_sale(bench, of_buyer).await;
        self.empty = self.made_sale(bench, json!({"reference": "e", "lines": null})).await;
        self.quotation = self.made_sale(bench, json!({"reference": "q"})).await;
        press(bench, "quote", &self.quotation).await;
        self.processing = self.made_sale(bench, json!({"reference": "p"})).await;
        press(bench, "quote", &self.processing).await;
        press(bench, "confirm", &self.processing).await;
        let read = bench.vendor.model("sale.sale.read", json!([[self.processing], ["lines"]])).await;
        self.processing_line = read[0]["lines"][0].clone();
        let nameless = |missing: &str| json!({"reference": "n", missing: null});
        self.without_invoice_address = self.made_sale(bench, nameless("invoice_address")).await;
        self.without_shipment_address = self.made_sale(bench, nameless("shipment_address")).await;
        self.without_warehouse = self.made_sale(bench, nameless("warehouse")).await;
        let back = |change: Json| {
            let mut values = json!({"reference": "b", "lines": [["create", [self.returned_line()]]]});
            super::merge(&mut values, change);
            values
        };
        let returns = [json!({"invoice_address": null}), json!({"warehouse": null}), json!({})].map(back);
        let [without_invoice_address, without_warehouse, right] = returns;
        self.return_without_invoice_address = self.made_sale(bench, without_invoice_address).await;
        self.return_without_warehouse = self.made_sale(bench, without_warehouse).await;
        let right = self.made_sale(bench, right).await;
        press(bench, "quote", &right).await;
        press(bench, "confirm", &right).await;
        let read = bench.vendor.model("sale.sale.read", json!([[right], ["shipment_returns"]])).await;
        self.parcel = read[0]["shipment_returns"][0].clone();
    }

    async fn made_sale(&self, bench: &Bench, change: Json) -> Json {
        let mut values = self.sale();
        super::merge(&mut values, change);
        made(bench, "sale.sale", values).await
    }

    /// A right sale.
    pub(super) fn sale(&self) -> Json {
        json!({
            "reference": "r",
            "party": self.party,
            "invoice_address": self.address,
            "shipment_address": self.address,
            "lines": [["create", [self.line()]]],
        })
    }

    /// A right line.
    pub(super) fn line(&self) -> Json {
        json!({
            "product": self.product,
            "quantity": 2,
            "unit": self.unit,
            "unit_price": {"__class__": "Decimal", "decimal": "18.50"},
            "taxes": [["add", [self.tax]]],
        })
    }

    /// The same coming back.
    pub(super) fn returned_line(&self) -> Json {
        let mut line = self.line();
        super::merge(&mut line, json!({"quantity": -2}));
        line
    }

    /// How many records there are of each kind.
    pub(super) async fn counts(&self, bench: &Bench) -> Vec<Json> {
        let mut counts = Vec::new();
        for model in [
            "party.party",
            "party.address",
            "party.contact_mechanism",
            "party.identifier",
            "sale.sale",
            "sale.line",
            "stock.shipment.out.return",
        ] {
            counts.push(bench.vendor.model(&format!("{model}.search_count"), json!([[]])).await);
        }
        counts
    }
}

async fn made(bench: &Bench, model: &str, values: Json) -> Json {
    bench.vendor.model(&format!("{model}.create"), json!([[values]])).await[0].clone()
}

async fn one(bench: &Bench, model: &str, domain: Json) -> Json {
    bench.vendor.model(&format!("{model}.search"), json!([domain])).await[0].clone()
}

async fn press(bench: &Bench, button: &str, sale: &Json) {
    bench.vendor.model(&format!("sale.sale.{button}"), json!([[sale]])).await;
}
