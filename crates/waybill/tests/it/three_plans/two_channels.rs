//! `two-channels.toml`: a retail and a wholesale store in front of the same books.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use waybill_domain::descriptor::Budget;
use waybill_proto::wire::State;
use waybill_simulator::{
    catalogue, seeding,
    shopify::{NewCustomer, NewOrder, Payment, Settings, Store},
    tryton::{Setup, Stock},
};
use waybill_testkit::wait_for_async;

use super::{
    business::{Business, Premises, order_of, tax, wanted},
    changed,
    colleagues::{Books, Sale, on_hand, writes},
    read, written,
};
use crate::{
    deployment::{DEADLINE, said},
    running::{vendor, vendors},
};

/// The business with both of its stores.
struct Shops {
    business: Business,
    wholesale: Store,
}

impl Shops {
    async fn open(books: &Setup) -> Option<Self> {
        let premises = Premises::with_plan(&written("two-channels"))?;
        let retail = Settings {
            domain: "waldgang.myshopify.com".to_owned(),
            webhooks_to: premises.webhooks("retail"),
            ..Settings::default()
        };
        let wholesale = Settings {
            token: "shpat_simulated_b2b".to_owned(),
            webhook_secret: "simulated-b2b-webhook-secret".to_owned(),
            domain: "waldgang-b2b.myshopify.com".to_owned(),
            webhooks_to: premises.webhooks("wholesale"),
            ids_apart: 100,
            ..Settings::default()
        };
        let mut vendors = vendors(retail, books).await;
        let secrets = [
            ("SHOPIFY_B2B_ACCESS_TOKEN", wholesale.token.clone()),
            ("SHOPIFY_B2B_WEBHOOK_SECRET", wholesale.webhook_secret.clone()),
        ];
        let wholesale = Store::new(wholesale);
        let shop = vendor(wholesale.simulated()).await;
        let variables = secrets.into_iter().chain([("SHOPIFY_B2B_URL", shop.url())]);
        vendors.variables.extend(variables.map(|(name, value)| (name.to_owned(), value)));
        vendors.others.push(shop);
        Some(Self { business: premises.open(vendors).await, wholesale })
    }

    fn retail(&self) -> &Store {
        &self.business.suite.vendors.store
    }
}

/// An order by somebody else, with the tax of another country.
fn german(mut order: NewOrder) -> NewOrder {
    order.email = Some("bert@waldgang.de".to_owned());
    for address in order.billing.iter_mut().chain(&mut order.shipping_address) {
        address.first_name = Some("Bert".to_owned());
        address.last_name = Some("Blum".to_owned());
        address.city = "Passau".to_owned();
        address.zip = "94032".to_owned();
        address.country = "Germany".to_owned();
        address.country_code = "DE".to_owned();
    }
    for line in &mut order.lines {
        line.taxes = vec![tax("DE VAT", 19)];
    }
    for line in &mut order.shipping {
        line.taxes = vec![tax("DE VAT", 19)];
    }
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn retail_is_booked_on_one_customer_and_wholesale_on_its_own_from_graz() {
    let Some(shops) = Shops::open(&seeding::erp()).await else { return };
    let retail =
        [order_of("TEE-WHITE-S", 1), german(order_of("CAP-GREEN", 1))].map(|order| shops.retail().place(order));
    let wholesale = shops.wholesale.place(NewOrder { payment: Payment::None, ..order_of("MUG-300", 10) });
    for order in retail {
        shops.business.until_applied("erp", &format!("retail/order/{order}"), 1).await;
    }
    shops.business.until_applied("erp-wholesale", &format!("wholesale/order/{wholesale}"), 1).await;

    let sales = Books::open(&shops.business).await.sales().await;
    let (ours, others): (Vec<Sale>, Vec<Sale>) = sales.into_iter().partition(|sale| sale.party == "Web shop, retail");
    let facts = |sale: &Sale| [&sale.description, &sale.comment, &sale.warehouse].map(Clone::clone);
    let mut booked: Vec<_> = ours.iter().map(facts).collect();
    booked.sort();
    let in_retail = |number: &str| [number, "Price list: Retail, tax included", "vienna"].map(str::to_owned);
    assert_eq!(booked, [in_retail("#1001"), in_retail("#1002")]);
    assert_eq!(ours[0].party_id, ours[1].party_id);
    assert_eq!(others.iter().map(facts).collect::<Vec<_>>(), [["B2B #1001", "Price list: Wholesale, net", "graz"]]);
    assert_eq!(others[0].party, "Ada Lind");
    shops.business.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wholesale_order_with_a_tax_of_another_country_is_for_a_person() {
    let Some(shops) = Shops::open(&seeding::erp()).await else { return };
    let order = shops.wholesale.place(german(order_of("MUG-300", 10)));
    let parked =
        shops.business.until_state(State::Parked, "erp-wholesale", &format!("wholesale/order/{order}"), 1).await;
    assert_eq!((parked.code.as_str(), parked.field.as_str()), ("unmapped", "lines.0.tax"));
    assert_eq!(Books::open(&shops.business).await.sales().await, []);

    let customer = NewCustomer {
        last_name: Some("Blum".to_owned()),
        email: Some("bert@waldgang.de".to_owned()),
        ..NewCustomer::default()
    };
    let customer = shops.wholesale.add_customer(customer);
    shops.business.until_applied("crm", &format!("wholesale/customer/{customer}"), 1).await;
    let contact = shops.business.contact("bert@waldgang.de", "waybill_channel").await;
    assert_eq!(contact["waybill_channel"], "wholesale");
    shops.business.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_wholesale_order_is_booked_once_a_person_has_approved_it() {
    let Some(shops) = Shops::open(&seeding::erp()).await else { return };
    let business = &shops.business;
    // 119.00 each.
    let large = shops.wholesale.place(order_of("PACK-35", 50));
    let in_retail = shops.retail().place(order_of("PACK-35", 50));
    let at = format!("wholesale/order/{large}");
    let waiting = business.until_state(State::Waiting, "erp-wholesale", &at, 1).await;
    assert_eq!(waiting.code, "approval");
    business.until_applied("erp", &format!("retail/order/{in_retail}"), 1).await;
    let books = Books::open(business).await;
    assert_eq!(books.sales().await.len(), 1, "retail asks nobody");

    let approve = ["approvals", "give", &at, "--system", "erp-wholesale", "--reason", "They pay in advance."];
    said(&business.suite.run(&approve));
    business.until_applied("erp-wholesale", &at, wanted(&waiting)).await;
    let sales = books.sales().await;
    // Fifty and shipping at 5.00, with 20 % of tax.
    let total = Decimal::new(714_600, 2);
    assert_eq!(sales.iter().map(|sale| sale.total).collect::<Vec<_>>(), [total, total]);
    let created = writes(&business.suite.vendors.erp, "sale.sale").into_iter().filter(|action| action == "create");
    assert_eq!(created.count(), 2);
    shops.business.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn graz_sells_in_both_stores_less_its_own_hoodies_and_vienna_in_retail_only() {
    let mut books = seeding::erp();
    for (code, vienna, graz) in [("TEE-WHITE-S", 41, 31), ("HOODIE-M", 20, 9)] {
        let item = books.items.iter_mut().find(|item| item.code == code).unwrap();
        item.stock = Stock::At(BTreeMap::from([("vienna".to_owned(), vienna), ("graz".to_owned(), graz)]));
    }
    let Some(shops) = Shops::open(&books).await else { return };
    let shown = |store: &Store| {
        let levels = on_hand(store);
        let at = |sku: &str, place: &str| levels[&(sku.to_owned(), place.to_owned())];
        ["TEE-WHITE-S", "HOODIE-M"].map(|sku| ["Warehouse Vienna", "Studio Graz"].map(|place| at(sku, place)))
    };
    // What the store was opened with stays in Vienna.
    let [tees, hoodies] = ["TEE-WHITE-S", "HOODIE-M"].map(|sku| catalogue::find(sku).unwrap().stock[0]);
    let (retail, wholesale) = ([[41, 31], [20, 4]], [[tees, 31], [hoodies, 4]]);
    wait_for_async("the ERP's stock in both stores", DEADLINE, async || {
        (shown(shops.retail()) == retail && shown(&shops.wholesale) == wholesale).then_some(())
    })
    .await;
    for sku in ["TEE-WHITE-S", "HOODIE-M"] {
        let kept = format!("wholesale/stock-level/vienna_{sku}");
        let kept = shops.business.until_state(State::Ignored, "b2b-shop", &kept, 1).await;
        assert_eq!(kept.code, "stock.sells");
    }
    assert_eq!(shown(&shops.wholesale), wholesale);
    shops.business.has_parked_nothing("inventory-router").await;
    shops.business.close().await;
}

#[test]
fn two_systems_on_one_account_share_what_it_allows() {
    let text = written("two-channels");
    let plan = read(&text).unwrap();
    let descriptor = connector_tryton::descriptor();
    let rate = |budget: Budget| f64::from(budget.requests) / budget.per.as_secs_f64();
    let share = |system: &str, service: &str| {
        let system = &plan.systems[&system.parse().unwrap()];
        (rate(system.budget_of(service, &descriptor)) / rate(descriptor.budget) * 100.0).round()
    };
    let shares =
        [("erp", "erp-sync"), ("erp", "inventory-router"), ("erp-wholesale", "erp-sync")].map(|(a, b)| share(a, b));
    assert_eq!(shares, [50.0, 20.0, 30.0]);

    let problems = read(&changed(&text, "shares = { erp-sync = 0.3 }", "shares = { erp-sync = 0.4 }")).unwrap_err();
    let told = problems.render("two-channels.toml");
    assert!(told.contains("WB-P028") && told.contains("erp and erp-wholesale use one account"), "{told}");
}
