//! A business whose people and orders were in its systems before Waybill: none of them is made a second time.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use waybill_simulator::{
    seeding,
    shopify::{NewCustomer, NewOrder},
};
use waybill_testkit::wait_for_async;

use super::{
    business::{Business, line_of, order_of},
    changed,
    colleagues::Books,
    written,
};

const PEOPLE: usize = 200;
const ORDERS: usize = 50;
/// The store's first order.
const FIRST: usize = 1001;

/// *owned*, with rules by which what was there before is recognised, and customers in the books too.
fn plan() -> String {
    let recognised = |plan: &str, flow: &str, rule: &str| {
        changed(plan, &format!("name = \"{flow}\"\n"), &format!("name = \"{flow}\"\nmatch = [{rule}]\n"))
    };
    let plan = recognised(&written("owned"), "orders-to-erp", "{ field = \"description\", value = \"order.name\" }");
    let plan =
        recognised(&plan, "orders-to-crm", "{ field = \"hs_external_order_id\", value = \"'SHOP-' ~ order.name\" }");
    plan + "\n[[flows]]\nname = \"customers-to-erp\"\nkind = \"customer\"\nto = \"erp\"\n"
}

fn email(n: usize) -> String {
    format!("person{n}@example.com")
}

/// What HubSpot has of a person: of some the e-mail alone and in other letters, of some a phone that colleagues keep.
fn contact(n: usize) -> Value {
    match n % 3 {
        0 => json!({"email": email(n).to_uppercase()}),
        1 => json!({"email": email(n), "phone": format!("+43 1 {n}")}),
        _ => json!({"email": email(n), "firstname": "Jo", "lastname": format!("Number{n}")}),
    }
}

async fn fill_the_crm(shop: &Business) {
    let order = |n: usize| json!({"hs_order_name": "old", "hs_external_order_id": format!("SHOP-#{}", FIRST + n)});
    for (kind, all) in [
        ("contacts", (0..PEOPLE).map(contact).collect::<Vec<_>>()),
        ("orders", (0..ORDERS).map(order).collect::<Vec<_>>()),
    ] {
        for part in all.chunks(100) {
            shop.create_in_crm(kind, part).await;
        }
        // What is years old is in HubSpot's index; what was made just now is not yet.
        wait_for_async("HubSpot's index", super::MINUTES, async || {
            (shop.found_in_crm(kind).await == Some(all.len() as u64)).then_some(())
        })
        .await;
    }
}

async fn fill_the_books(books: &Books) {
    let party = |n: usize| {
        let email = json!({"type": "email", "value": email(n)});
        json!({"name": format!("Number{n}, Jo"), "contact_mechanisms": [["create", [email]]]})
    };
    let parties = books.create("party.party", (0..PEOPLE).map(party).collect()).await;
    let vienna = books.id_of("stock.location", "vienna").await;
    let sale = |(n, party): (usize, &Value)| json!({"party": party, "description": format!("#{}", FIRST + n), "warehouse": vienna});
    books.create("sale.sale", parties.iter().take(ORDERS).enumerate().map(sale).collect()).await;
}

/// Contacts and orders of HubSpot, parties and sales of the books.
async fn counts(shop: &Business, books: &Books) -> [usize; 4] {
    let crm = shop.crm_state().await;
    let there = |kind: &str| usize::try_from(crm[kind].as_u64().unwrap()).unwrap();
    [there("contacts"), there("orders"), books.count("party.party").await, books.count("sale.sale").await]
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_customers_and_fifty_orders_are_found_in_both_systems_and_none_is_made_again() {
    let Some(shop) = Business::with_plan(&plan(), &seeding::erp()).await else { return };
    let books = Books::open(&shop).await;
    fill_the_crm(&shop).await;
    fill_the_books(&books).await;
    let before = counts(&shop, &books).await;
    assert_eq!(before[..2], [PEOPLE, ORDERS]);

    let store = &shop.suite.vendors.store;
    let person = |n: usize| {
        store.add_customer(NewCustomer {
            first_name: Some("Jo".to_owned()),
            last_name: Some(format!("Number{n}")),
            email: Some(email(n)),
            ..NewCustomer::default()
        })
    };
    let people: Vec<u64> = (0..PEOPLE).map(person).collect();
    for (n, customer) in people.iter().take(ORDERS).enumerate() {
        let order = NewOrder {
            customer: Some(*customer),
            email: Some(email(n)),
            lines: vec![line_of("TEE-WHITE-S", 1)],
            ..order_of("TEE-WHITE-S", 1)
        };
        let order = store.place(order);
        assert_eq!(store.order(order).unwrap().name, format!("#{}", FIRST + n));
    }
    for (kind, system) in [("customer", "crm"), ("order", "crm"), ("customer", "erp"), ("order", "erp")] {
        let what = format!("every {kind} at {system}");
        let all = if kind == "order" { ORDERS } else { PEOPLE };
        wait_for_async(&what, super::MINUTES, async || {
            shop.has_parked_nothing(if system == "crm" { "crm-sync" } else { "erp-sync" }).await;
            shop.has_settled(kind, system, all)
        })
        .await;
    }
    assert_eq!(counts(&shop, &books).await, before);

    for n in [0, 1, 2] {
        let contact = shop.contact(&email(n), "firstname,lastname,phone").await;
        assert_eq!(contact["lastname"], format!("Number{n}"));
        if n == 1 {
            assert_eq!(contact["phone"], "+43 1 1", "the phone is the CRM's");
        }
    }
    let sales = books.sales().await;
    // 24.00 and shipping at 5.00, with 20 % of tax.
    assert!(sales.iter().all(|sale| sale.total == Decimal::new(34_80, 2)), "{sales:?}");
    shop.close().await;
}
