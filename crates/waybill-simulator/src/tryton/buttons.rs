//! The buttons of sales, shipments and inventories: who may press them when, and what they do.

use rust_decimal::Decimal;

use super::{
    amounts,
    calls::today,
    context::Context,
    names::rec_name,
    parcels::{self, Way},
    read, rules,
    schema::{self, Model},
    stock,
    store::{Record, Store},
    trouble::{Outcome, Trouble},
    value::{Id, Value},
};

/// The states in which a button is shown; Tryton refuses the others (`ModelView.button`).
fn shown_in(model: &Model, button: &str) -> Option<&'static [&'static str]> {
    match (model.name, button) {
        ("sale.sale", "cancel") => Some(&["draft", "quotation"]),
        ("sale.sale", "draft") => Some(&["cancelled", "quotation", "confirmed"]),
        ("sale.sale", "quote") => Some(&["draft"]),
        ("sale.sale", "confirm") => Some(&["quotation"]),
        ("sale.sale", "process") => Some(&["confirmed", "processing", "done"]),
        ("stock.shipment.out", "wait") => Some(&["assigned", "waiting", "draft"]),
        ("stock.shipment.out", "pick" | "pack") => Some(&["assigned"]),
        ("stock.shipment.out", "ship") => Some(&["packed"]),
        ("stock.shipment.out", "do") => Some(&["packed", "shipped"]),
        ("stock.shipment.out.return", "receive") => Some(&["draft"]),
        ("stock.shipment.out.return", "do") => Some(&["received"]),
        ("stock.shipment.out.return", "cancel") => Some(&["draft", "received"]),
        ("stock.shipment.out.return", "draft") => Some(&["cancelled"]),
        ("stock.inventory", _) => Some(&["draft"]),
        _ => None,
    }
}

/// Presses a button on records.
pub(super) fn press(
    store: &mut Store,
    context: &Context,
    model: &'static Model,
    button: &str,
    ids: &[Id],
) -> Outcome<()> {
    read::check_there(store, model, ids, "read")?;
    for id in ids {
        let state = state(store, model, *id);
        let mut shown = shown_in(model, button).is_none_or(|states| states.contains(&state.as_str()));
        // A sale without lines shows no "quote"; a picked shipment is packed.
        shown &= (model.name, button) != ("sale.sale", "quote") || !lines(store, *id).is_empty();
        shown |= (model.name, button, state.as_str()) == ("stock.shipment.out", "pack", "picked");
        if !shown {
            let (record, name) = (rec_name(store, model, *id), model.label);
            return Err(Trouble::user(format!("You can not call \"{button}\" on \"{record}\" of \"{name}\".")));
        }
    }
    for id in ids {
        match (model.name, button) {
            ("sale.sale", "cancel") => set_state(store, model, *id, "cancelled"),
            ("sale.sale", "draft") => set_state(store, model, *id, "draft"),
            ("sale.sale", "quote") => quote(store, *id)?,
            ("sale.sale", "confirm") => confirm(store, *id)?,
            ("sale.sale", "process") => process(store, context, *id)?,
            ("stock.shipment.out", button) => parcels::ship(store, context, *id, button),
            ("stock.shipment.out.return", "receive" | "do") => parcels::take_back(store, *id, button),
            ("stock.inventory", "confirm") => count(store, *id),
            ("stock.inventory", "cancel") => set_state(store, model, *id, "cancelled"),
            (model, button) => return Err(Trouble::not_simulated(format!("the button {button} of {model}"))),
        }
        rules::validate(store, model, *id)?;
    }
    Ok(())
}

/// The second transaction of a confirmation (`trytond.worker.run_task`): its refusal is not told to the caller.
pub(super) fn process_confirmed(store: &mut Store, ids: &[Id]) {
    for id in ids {
        if process(store, &Context::default(), *id).is_err() {
            store.rollback();
            return;
        }
    }
}

fn sales() -> &'static Model {
    schema::known("sale.sale")
}

fn state(store: &Store, model: &Model, id: Id) -> String {
    store.value(model, id, "state").as_text().unwrap_or_default().to_owned()
}

fn set_state(store: &mut Store, model: &'static Model, id: Id, state: &str) {
    store.set(model, id, "state", Value::text(state));
}

fn lines(store: &Store, sale: Id) -> Vec<Id> {
    store.pointing_to("sale.line", "sale", sale)
}

/// Whether a line's product is kept in stock (`sale.line.movable`).
fn movable(store: &Store, line: Id) -> bool {
    let product = store.value(schema::known("sale.line"), line, "product").as_id();
    let kind = product.map(|product| store.value(schema::known("product.product"), product, "type"));
    kind == Some(Value::text("goods")) || kind == Some(Value::text("assets"))
}

/// `sale.sale.check_for_quotation`, then number and date.
fn quote(store: &mut Store, sale: Id) -> Outcome<()> {
    let model = sales();
    let name = rec_name(store, model, sale);
    let missing = |what: String| Trouble::user(format!("To get a quote for sale \"{name}\" you must enter {what}."));
    if store.value(model, sale, "invoice_address") == Value::Null {
        return Err(missing("an invoice address".to_owned()));
    }
    for line in lines(store, sale) {
        let quantity = store.value(schema::known("sale.line"), line, "quantity").as_decimal().unwrap_or_default();
        if !movable(store, line) {
            continue;
        }
        if quantity >= Decimal::ZERO && store.value(model, sale, "shipment_address") == Value::Null {
            return Err(missing("a shipment address".to_owned()));
        }
        if store.value(model, sale, "warehouse") == Value::Null {
            let line = rec_name(store, schema::known("sale.line"), line);
            return Err(missing(format!("a warehouse for the line \"{line}\"")));
        }
    }
    if store.value(model, sale, "quotation_date") == Value::Null {
        store.set(model, sale, "quotation_date", Value::Date(today()));
    }
    if store.value(model, sale, "number") == Value::Null {
        let number = store.number(model);
        store.set(model, sale, "number", number);
    }
    set_state(store, model, sale, "quotation");
    Ok(())
}

fn confirm(store: &mut Store, sale: Id) -> Outcome<()> {
    let is_on_order = |field: &str| store.value(sales(), sale, field) == Value::text("order");
    if !is_on_order("invoice_method") || !is_on_order("shipment_method") {
        return Err(Trouble::not_simulated("a sale that is not invoiced and shipped on order"));
    }
    if store.value(sales(), sale, "sale_date") == Value::Null {
        store.set(sales(), sale, "sale_date", Value::Date(today()));
    }
    set_state(store, sales(), sale, "confirmed");
    Ok(())
}

/// Makes the invoice, the shipment and the return of a confirmed sale; a later call has nothing to add. Lines of no
/// quantity make none of them, and a sale of nothing else is done.
fn process(store: &mut Store, context: &Context, sale: Id) -> Outcome<()> {
    let model = sales();
    if state(store, model, sale) != "confirmed" {
        return Ok(());
    }
    let quantity =
        |line: &Id| store.value(schema::known("sale.line"), *line, "quantity").as_decimal().unwrap_or_default();
    let all = lines(store, sale);
    let is_invoiced = all.iter().any(|line| !quantity(line).is_zero());
    let moving: Vec<Id> = all.into_iter().filter(|line| movable(store, *line) && !quantity(line).is_zero()).collect();
    let (back, out): (Vec<Id>, Vec<Id>) = moving.iter().partition(|line| quantity(line).is_sign_negative());
    if let (Value::Integer(party), false) = (store.value(model, sale, "party"), moving.is_empty()) {
        check_customer_location(store, sale, party)?;
    }
    if is_invoiced {
        invoice(store, sale);
        store.set(model, sale, "invoice_state", Value::text("pending"));
    }
    for (way, lines) in [(Way::Out, out), (Way::Back, back)] {
        if !lines.is_empty() {
            parcels::create(store, context, sale, way, &lines);
            store.set(model, sale, "shipment_state", Value::text("waiting"));
        }
    }
    set_state(store, model, sale, if is_invoiced { "processing" } else { "done" });
    Ok(())
}

fn invoice(store: &mut Store, sale: Id) {
    let party = match store.value(sales(), sale, "invoice_party") {
        Value::Null => store.value(sales(), sale, "party"),
        other => other,
    };
    let total = amounts::of_sale(store, sale).total;
    let record = Record::from([
        ("party", party),
        ("state", Value::text("draft")),
        ("total_amount", Value::Numeric(total)),
        ("~sale", Value::Integer(sale)),
    ]);
    store.insert(schema::known("account.invoice"), record);
}

fn check_customer_location(store: &Store, sale: Id, party: Id) -> Outcome<()> {
    let parties = schema::known("party.party");
    if store.value(parties, party, "customer_location") != Value::Null {
        return Ok(());
    }
    let (sale, party) = (rec_name(store, sales(), sale), rec_name(store, parties, party));
    Err(Trouble::user(format!("To process sale \"{sale}\" you must set a customer location on party \"{party}\".")))
}

/// Sets the stock to what an inventory counted.
fn count(store: &mut Store, inventory: Id) {
    let (model, lines) = (schema::known("stock.inventory"), schema::known("stock.inventory.line"));
    let location = store.value(model, inventory, "location").as_id().unwrap_or_default();
    for line in store.pointing_to(lines.name, "inventory", inventory) {
        let product = store.value(lines, line, "product").as_id();
        let quantity = store.value(lines, line, "quantity").as_decimal();
        if let (Some(product), Some(quantity)) = (product, quantity) {
            stock::count(store, product, location, quantity);
        }
    }
    set_state(store, model, inventory, "done");
}
