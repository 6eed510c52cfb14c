//! The schema against what expressions see: every path of the one is in the other, with the type that it has.

use jiff::Timestamp;
use minijinja::{Value, value::ValueKind};
use rust_decimal::Decimal;
use waybill_domain::{
    Body, Kind, RecordId, Snapshot,
    customer::{Address, Customer, Person},
    order::{Order, Refund},
    price::ListPrice,
    shipment::{Fulfilment, ParcelLine, Shipment},
    stock::{InventoryLevel, StockLevel},
};
use waybill_testkit::records::{eur, order, refund_of, snapshot};

use super::{Type, buyer, of_kind, order_line, refund_line, tax, totals, variable};
use crate::{Connectors, CustomerTotals, Plan, expression::Amount, view};

const PLAN: &str = r#"
[stores.main]
shop = "example.myshopify.com"
system = "shop"
webhook_secrets = ["env:SECRET"]

[systems.shop]
connector = "shopify"
"#;

fn now() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

/// Where the schema and a value differ.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn of(path: &str, of: &Type, value: &Value) -> Vec<String> {
        let mut differences = Self::default();
        differences.compare(path, of, value);
        differences.0
    }

    fn say(&mut self, path: &str, what: &str) {
        self.0.push(format!("{path}: {what}"));
    }

    fn compare(&mut self, path: &str, of: &Type, value: &Value) {
        let is_amount = value.downcast_object_ref::<Amount>().is_some();
        match (of, value.kind()) {
            (Type::Maybe(of), _) if !value.is_none() => self.compare(path, of, value),
            (Type::Maybe(_), _) => self.say(path, "is not filled"),
            (Type::Amount, _) if is_amount => {}
            (Type::Record(fields), ValueKind::Map) if !is_amount => {
                for key in value.try_iter().unwrap() {
                    let name = key.to_string();
                    match fields.get(name.as_str()) {
                        Some(of) => {
                            self.compare(&format!("{path}.{name}"), of, &value.get_attr(&name).unwrap());
                        }
                        None => self.say(&format!("{path}.{name}"), "is not in the schema"),
                    }
                }
                for name in fields.keys() {
                    if value.get_attr(name).unwrap().is_undefined() {
                        self.say(&format!("{path}.{name}"), "is not shown");
                    }
                }
            }
            (Type::List(of), ValueKind::Seq) => {
                let mut items = value.try_iter().unwrap().peekable();
                if items.peek().is_none() {
                    self.say(path, "is empty");
                }
                for item in items {
                    self.compare(&format!("{path}[]"), of, &item);
                }
            }
            (Type::Whole, ValueKind::Number) if value.is_integer() => {}
            (Type::Flag, ValueKind::Bool) => {}
            (of, ValueKind::String) => self.compare_text(path, of, &value.to_string()),
            (of, kind) => self.say(path, &format!("is {}, and {kind} is shown", of.describe())),
        }
    }

    fn compare_text(&mut self, path: &str, of: &Type, text: &str) {
        let fits = match of {
            Type::Text => text.parse::<Timestamp>().is_err(),
            Type::Word(words) => words.iter().any(|word| word == text),
            Type::Time => text.parse::<Timestamp>().is_ok(),
            Type::NumberText => Decimal::from_str_exact(text).is_ok(),
            _ => false,
        };
        if !fits {
            self.say(path, &format!("is {}, and the text '{text}' is shown", of.describe()));
        }
    }
}

/// Every path at which the schema says that there may be nothing, or that a value has nothing at.
fn absent(path: &str, of: &Type, value: &Value, found: &mut Vec<(String, bool, bool)>) {
    let is_none = value.is_none();
    let (inner, may) = match of {
        Type::Maybe(inner) => (&**inner, true),
        of => (of, false),
    };
    if is_none || may {
        found.push((path.to_owned(), may, is_none));
    }
    match inner {
        Type::Record(fields) if !is_none => {
            for (name, of) in fields.iter() {
                absent(&format!("{path}.{name}"), of, &value.get_attr(name).unwrap(), found);
            }
        }
        Type::List(of) if !is_none => {
            for item in value.try_iter().unwrap() {
                absent(&format!("{path}[]"), of, &item, found);
            }
        }
        _ => {}
    }
}

fn person() -> Person {
    let [first_name, last_name, email, phone] = ["Ada", "Lind", "ada@example.com", "+43155"].map(Into::into);
    Person { id: 77.into(), first_name, last_name, email, phone }
}

/// An order with everything in it.
fn full_order() -> Order {
    let order = order(1001).paid().with_line("TEE", 2, "24.00").taxed("AT VAT", "0.2", "8.00").shipped_for("5.00");
    let refund = full_refund(&order.clone().build());
    let mut order = order.cancelled().with_refund(refund).build();
    order.cancel_reason = Some("customer".to_owned());
    order.closed_at = Some(now());
    order.tags = vec!["vip".to_owned()];
    order.customer = Some(person());
    order.totals.duties = Some(eur("1.00"));
    order.totals.additional_fees = Some(eur("2.00"));
    order.totals.cash_rounding = Some(eur("0.01"));
    for line in &mut order.lines {
        line.variant_id = Some(5.into());
        line.product_id = Some(6.into());
        line.duties = vec![eur("1.00")];
    }
    for line in &mut order.shipping_lines {
        line.taxes = order.lines[0].taxes.clone();
    }
    order
}

fn full_refund(order: &Order) -> Refund {
    refund_of(order).of_line(0, 1).noted("Too small").build()
}

fn full_customer() -> Customer {
    Customer {
        id: 77.into(),
        created_at: Some(now()),
        first_name: "Ada".into(),
        last_name: "Lind".into(),
        email: "ada@example.com".into(),
        email_consent: "subscribed".to_owned(),
        phone: "+43155".into(),
        verified_email: true,
        state: "enabled".to_owned(),
        note: "Likes tea".into(),
        tax_exempt: false,
        tags: vec!["vip".to_owned()],
        default_address: Some(Address { city: "Wien".into(), ..Address::default() }),
    }
}

fn parcel_lines() -> Vec<ParcelLine> {
    vec![ParcelLine { line_id: "1".to_owned(), sku: "TEE".to_owned(), quantity: 1 }]
}

fn full_shipment() -> Shipment {
    let [order_name, carrier, tracking_number, tracking_url] =
        ["#1001", "Post", "AT1", "https://post.example/AT1"].map(str::to_owned);
    let (shipped_at, lines) = (Some(now()), parcel_lines());
    let (id, order_id) = (RecordId::from(3), RecordId::from(1001));
    Shipment { id, order_id, order_name, carrier, tracking_number, tracking_url, shipped_at, voided: false, lines }
}

fn full_fulfilment() -> Fulfilment {
    Fulfilment {
        id: 4.into(),
        order_id: 1001.into(),
        status: "success".to_owned(),
        location_id: Some(9.into()),
        tracking_company: "Post".to_owned(),
        tracking_numbers: vec!["AT1".to_owned()],
        lines: parcel_lines(),
    }
}

fn bodies() -> Vec<Body> {
    let order = full_order();
    vec![
        Body::Refund(full_refund(&order)),
        Body::Order(Box::new(order)),
        Body::Customer(Box::new(full_customer())),
        Body::Shipment(full_shipment()),
        Body::Fulfilment(full_fulfilment()),
        Body::StockLevel(StockLevel { sku: "TEE".to_owned(), location: "vienna".to_owned(), quantity: 4 }),
        Body::Price(ListPrice {
            sku: "TEE".to_owned(),
            currency: "EUR".parse().unwrap(),
            amount: "24".parse().unwrap(),
            category: Some("Standard".to_owned()),
        }),
        Body::InventoryLevel(InventoryLevel { inventory_item_id: 8.into(), location_id: 9.into(), available: Some(4) }),
    ]
}

/// The same with nothing in it that need not be there.
fn bare(body: Body) -> Body {
    match body {
        Body::Order(mut order) => {
            (order.cancelled_at, order.cancel_reason, order.closed_at) = (None, None, None);
            (order.customer, order.billing_address, order.shipping_address) = (None, None, None);
            (order.totals.duties, order.totals.additional_fees, order.totals.cash_rounding) = (None, None, None);
            for line in &mut order.lines {
                (line.variant_id, line.product_id) = (None, None);
            }
            for refund in &mut order.refunds {
                refund.refunded = None;
            }
            Body::Order(order)
        }
        Body::Customer(mut customer) => {
            (customer.created_at, customer.default_address) = (None, None);
            Body::Customer(customer)
        }
        Body::Refund(refund) => Body::Refund(Refund { refunded: None, ..refund }),
        Body::Shipment(shipment) => Body::Shipment(Shipment { shipped_at: None, ..shipment }),
        Body::Fulfilment(fulfilment) => Body::Fulfilment(Fulfilment { location_id: None, ..fulfilment }),
        Body::InventoryLevel(level) => Body::InventoryLevel(InventoryLevel { available: None, ..level }),
        Body::Price(price) => Body::Price(ListPrice { category: None, ..price }),
        body => body,
    }
}

fn shown(snapshot: &Snapshot, customer_totals: Option<&CustomerTotals>) -> Value {
    view::of(&Plan::parse(PLAN, Connectors::Some(&[])).unwrap(), snapshot, customer_totals)
}

fn of(body: Body) -> (Kind, Value) {
    let kind = body.kind();
    let view = shown(&snapshot(kind, 1.into(), 1, body), None);
    (kind, view.get_attr(&variable(kind)).unwrap())
}

#[test]
fn every_path_that_a_record_shows_is_in_the_schema_with_its_type_and_every_path_of_the_schema_is_shown() {
    for (kind, record) in bodies().into_iter().map(of) {
        assert_eq!(Differences::of(kind.as_str(), &of_kind(kind), &record), Vec::<String>::new());
    }
}

#[test]
fn what_a_record_need_not_have_is_said_by_the_schema() {
    for (kind, record) in bodies().into_iter().map(bare).map(of) {
        let mut found = Vec::new();
        absent(kind.as_str(), &of_kind(kind), &record, &mut found);
        let wrong: Vec<_> = found.iter().filter(|(_, may, is_none)| may != is_none).collect();
        assert!(wrong.is_empty(), "path, whether the schema lets it be none, whether it is: {wrong:?}");
        assert_eq!(found.is_empty(), kind == Kind::StockLevel, "{kind}");
    }
}

#[test]
fn the_names_beside_a_record_are_in_the_schema_with_their_types() {
    let order = snapshot(Kind::Order, 1.into(), 1, Body::Order(Box::new(full_order())));
    let counted = CustomerTotals { orders: 2, spent: "12.50".parse().unwrap(), last_order_at: Some(now()) };
    let of_buyer = shown(&order, Some(&counted)).get_attr("totals").unwrap();
    assert_eq!(Differences::of("totals", &totals(), &of_buyer), Vec::<String>::new());
    // Without orders only the last one is not there.
    let of_nobody = shown(&order, None).get_attr("totals").unwrap();
    assert_eq!(Differences::of("totals", &totals(), &of_nobody), ["totals.last_order_at: is not filled"]);
    let full = full_order();
    let line = view::line(&full.lines[0]);
    assert_eq!(Differences::of("line", &order_line(), &line), Vec::<String>::new());
    let line = view::line(&full.refunds[0].lines[0]);
    assert_eq!(Differences::of("line", &refund_line(), &line), Vec::<String>::new());
    let of_tax = view::tax(&full.lines[0].taxes[0]);
    assert_eq!(Differences::of("tax", &tax(), &of_tax), Vec::<String>::new());
    assert_eq!(Differences::of("customer", &buyer(), &view::line(&person())), Vec::<String>::new());
}
