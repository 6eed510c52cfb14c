//! The simulated Tryton adds up as the real one does, whatever is sold.

use serde_json::{Value as Json, json};
use waybill_simulator::tryton::{Setup, TaxRounding};

use crate::bench::{Bench, Vendor, setup};

const SALES: u64 = 60;

#[tokio::test]
async fn amounts_rounded_on_the_line_are_the_real_ones() {
    amounts_are_the_real_ones(TaxRounding::Line, "line").await;
}

#[tokio::test]
async fn amounts_rounded_on_the_document_are_the_real_ones() {
    amounts_are_the_real_ones(TaxRounding::Document, "document").await;
}

async fn amounts_are_the_real_ones(rounding: TaxRounding, word: &str) {
    let Some(mut real) = Bench::real().await else { return };
    real.vendor.set_tax_rounding(word).await;
    let simulated = Bench::simulated_with(&Setup { tax_rounding: rounding, ..setup() }).await;
    let (real, simulated) = (amounts(&real.vendor).await, amounts(&simulated.vendor).await);
    for (at, (real, simulated)) in real.iter().zip(&simulated).enumerate() {
        assert_eq!(simulated, real, "sale {at}, tax rounded on the {word}");
    }
    assert_eq!((real.len() as u64, simulated.len() as u64), (SALES, SALES));
}

/// The amounts of sales of all sorts, the same ones for each Tryton.
async fn amounts(vendor: &Vendor) -> Vec<String> {
    let party = vendor.model("party.party.create", json!([[{"name": "Ann", "code": "wk1"}]])).await[0].clone();
    let product = vendor.model("product.product.search", json!([[["code", "=", "TEE-M"]]])).await[0].clone();
    let unit = vendor.model("product.product.read", json!([[product], ["sale_uom"]])).await[0]["sale_uom"].clone();
    let taxes = vendor.model("account.tax.search", json!([[], 0, null, [["name", "ASC"]]])).await;
    let mut dice = Dice(7);
    let sales: Vec<Json> = (0..SALES)
        .map(|_| {
            let lines: Vec<Json> = (0..=dice.roll(5))
                .map(|_| {
                    let digits = [2, 2, 2, 3, 4][dice.roll(5) as usize];
                    let sign = if dice.roll(9) == 0 { "-" } else { "" };
                    let price = format!("{sign}{}.{:0digits$}", dice.roll(90), dice.roll(10_u64.pow(digits as u32)));
                    let chosen = [json!([]), json!([taxes[0]]), json!([taxes[1]]), json!([taxes[0], taxes[1]])]
                        [dice.roll(4) as usize]
                        .clone();
                    let way = if dice.roll(4) == 0 { -1 } else { 1 };
                    json!({
                        "product": product, "unit": unit, "quantity": way * (1 + dice.roll(7) as i64), "taxes": [["add", chosen]],
                        "unit_price": {"__class__": "Decimal", "decimal": price},
                    })
                })
                .collect();
            json!({"party": party, "lines": [["create", lines]]})
        })
        .collect();
    let ids = vendor.model("sale.sale.create", json!([sales])).await;
    let fields = json!(["untaxed_amount", "tax_amount", "total_amount"]);
    let rows = vendor.model("sale.sale.read", json!([ids, fields])).await;
    rows.as_array().unwrap().iter().map(shown).collect()
}

fn shown(row: &Json) -> String {
    let of = |name: &str| row[name]["decimal"].as_str().unwrap().to_owned();
    format!("{} + {} = {}", of("untaxed_amount"), of("tax_amount"), of("total_amount"))
}

/// The same throws in each run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}
