//! The table, by what is wrong.

mod parties;
mod returns;

use serde_json::{Value as Json, json};

use super::{Answer, Send, Wrong, exception, fixture::Fixture, line, model, page, sale, user};

const UNAUTHORIZED: &str = "The server could not verify that you are authorized to access the URL requested. You either supplied the wrong credentials (e.g. a bad password), or your browser doesn&#39;t understand how to supply the credentials required.";
const FORBIDDEN: &str = "You don&#39;t have the permission to access the requested resource. It is either read-protected or not readable by the server.";

fn protocol() -> Vec<Wrong> {
    let call = |method: &str| json!({"id": 0, "method": method, "params": [[], 0, 1, null, {}]}).to_string();
    let search = || call("model.party.party.search");
    let with = |value: &str| vec![("authorization", value.to_owned())];
    let body = |name, body: String, headers, answer| Wrong { name, send: Send::Body(body, headers), answer };
    vec![
        body("no session", search(), with(""), Answer::NoSession),
        body("a session that never was", search(), with("Session d2F5YmlsbDoyOmFiYw=="), Answer::NoSession),
        body("another scheme", search(), with("Bearer abc"), Answer::NoSession),
        body("a body cut off", "{\"id\": 0, \"method\"".to_owned(), vec![], page(400, "Unable to get RPC method")),
        body("a list", "[]".to_owned(), vec![], page(400, "Unable to get RPC method")),
        body("no method", "{\"id\": 0, \"params\": []}".to_owned(), vec![], page(400, "Unable to get RPC method")),
        body(
            "no parameters",
            "{\"id\": 0, \"method\": \"model.party.party.search\"}".to_owned(),
            vec![],
            page(400, "Unable to get RPC params"),
        ),
        body(
            "not JSON",
            search(),
            vec![("content-type", "text/plain".to_owned())],
            page(400, "Not a RPC request"),
        ),
        body(
            "a decimal that is none",
            json!({"id": 0, "method": "model.sale.sale.create", "params": [{"__class__": "Decimal", "decimal": "abc"}]})
                .to_string(),
            vec![],
            page(400, "Unable to get RPC method"),
        ),
        body(
            "a date that is none",
            json!({"id": 0, "method": "x", "params": [{"__class__": "date", "year": 2026, "month": 13, "day": 1}]})
                .to_string(),
            vec![],
            page(400, "Unable to get RPC method"),
        ),
        Wrong {
            name: "a wrong password",
            send: Send::Raw("common.db.login", json!(["waybill", {"password": "wrong"}, "en"])),
            answer: page(401, UNAUTHORIZED),
        },
        Wrong {
            name: "no password",
            send: Send::Raw("common.db.login", json!(["waybill", {}, "en"])),
            answer: Answer::Login("password".to_owned()),
        },
        Wrong {
            name: "a login that is no text",
            send: Send::Raw("common.db.login", json!([5, {"password": "x"}, "en"])),
            answer: page(400, "user argument must be a string"),
        },
        Wrong {
            name: "no context",
            send: Send::Raw("model.sale.sale.search", json!([[]])),
            answer: page(422, "Missing context argument"),
        },
        Wrong {
            name: "a method without a model",
            send: Send::Raw("nonsense", json!([])),
            answer: exception("not enough values to unpack (expected 2, got 1)"),
        },
        model("an unknown model", "no.such.read", json!([[1], ["id"]]), exception("'no.such'")),
        model("an unknown method", "sale.sale.nope", json!([[1]]), page(403, FORBIDDEN)),
        model("a method that is not offered", "sale.sale.proceed", json!([[1]]), page(403, FORBIDDEN)),
        model(
            "a call without its arguments",
            "sale.sale.read",
            json!([]),
            exception("ModelSQL.read() missing 2 required positional arguments: 'ids' and 'fields_names'"),
        ),
        model(
            "a call with too many arguments",
            "sale.sale.read",
            json!([[1], ["id"], 1, 2]),
            exception("ModelSQL.read() takes 3 positional arguments but 5 were given"),
        ),
    ]
}

fn reads() -> Vec<Wrong> {
    vec![
        model(
            "a record that is not there",
            "sale.sale.read",
            json!([[999], ["state"]]),
            user("You are trying to read records \"999\" of \"Sale\" that don't exist."),
        ),
        model(
            "several records that are not there",
            "sale.sale.read",
            json!([[998, 999], ["state"]]),
            user("You are trying to read records \"998, 999\" of \"Sale\" that don't exist."),
        ),
        model(
            "an id that is a text",
            "sale.sale.read",
            json!([["x"], ["state"]]),
            user("You are trying to read records \"x\" of \"Sale\" that don't exist."),
        ),
        model(
            "a field that is not there",
            "sale.sale.search_read",
            json!([[], 0, null, null, ["colour"]]),
            exception("'colour'"),
        ),
        model(
            "a related field that is not there",
            "sale.sale.search_read",
            json!([[], 0, null, null, ["party.colour"]]),
            exception("'colour'"),
        ),
        model(
            "a search by an unknown field",
            "sale.sale.search",
            json!([[["colour", "=", "x"]]]),
            exception("'colour'"),
        ),
        model(
            "a search ordered by an unknown field",
            "sale.sale.search",
            json!([[], 0, null, [["colour", "ASC"]]]),
            exception("'colour'"),
        ),
    ]
}

fn sales(fixture: &Fixture) -> Vec<Wrong> {
    let Fixture { party, other_address, storage, .. } = fixture;
    vec![
        sale(fixture, "no party and no address", json!({"party": "-", "invoice_address": "-", "shipment_address": "-"}),
            user("A value is required for field \"Party\" in record \"[r]\" of \"Sale\".")),
        sale(fixture, "a party that is a text", json!({"party": "x"}), exception("invalid literal for int() with base 10: 'x'")),
        sale(fixture, "a party that is a list", json!({"party": [1]}),
            exception("int() argument must be a string, a bytes-like object or a real number, not 'list'")),
        sale(fixture, "an unknown field of a sale", json!({"colour": "red"}), exception("'colour'")),
        sale(fixture, "a currency that is not there", json!({"currency": 77}),
            user("You are trying to read records \"77\" of \"Currency\" that don't exist.")),
        sale(fixture, "a method that is none of the options", json!({"invoice_method": "bogus"}),
            user("The value \"bogus\" for field \"Invoice Method\" in record \"[r]\" of \"Sale\" is not one of the allowed options.")),
        sale(fixture, "a reference that is a number", json!({"reference": 5}), exception("'int' object has no attribute 'strip'")),
        sale(fixture, "a description that is a list", json!({"description": ["a"]}), exception("'list' object has no attribute 'strip'")),
        sale(fixture, "a description of two lines", json!({"description": "a\nb"}),
            user("The value \"a\nb\" for field \"Description\" in record \"[r]\" of \"Sale\" contains some invalid chars \"'\\n'\".")),
        sale(fixture, "a number of our own", json!({"number": "7"}), user("You are not allowed to modify the field \"Number\" of \"Sale\".")),
        sale(fixture, "somebody else's address", json!({"invoice_address": other_address}),
            Answer::Domain(
                "The value \"Bob, Side 2, Bonn, DE\" for field \"Invoice Address\" in record \"[r]\" of \"Sale\" is not valid according to its domain.".to_owned(),
                json!([["party", "=", party]]),
            )),
        sale(fixture, "a warehouse that is none", json!({"warehouse": storage}),
            Answer::Domain(
                "The value \"[vienna-storage] Vienna storage\" for field \"Warehouse\" in record \"[r]\" of \"Sale\" is not valid according to its domain.".to_owned(),
                json!([["type", "=", "warehouse"]]),
            )),
        sale(fixture, "lines that are a text", json!({"lines": "x"}), exception("'x'")),
        sale(fixture, "lines that are a number", json!({"lines": 5}), exception("'int' object is not iterable")),
        sale(fixture, "a command that is none", json!({"lines": [["bogus", [1]]]}), exception("'bogus'")),
        sale(fixture, "a command that is a number", json!({"lines": [5]}), exception("'int' object is not subscriptable")),
        sale(fixture, "a line that is a number", json!({"lines": [["create", [5]]]}), exception("'int' object has no attribute 'copy'")),
        model("a sale that is a number", "sale.sale.create", json!([[5]]), exception("'int' object is not iterable")),
        model("sales that are not in a list", "sale.sale.create", json!([{"reference": "r"}]), exception("'str' object has no attribute 'copy'")),
    ]
}

fn lines(fixture: &Fixture) -> Vec<Wrong> {
    let Fixture { company, kilogram, .. } = fixture;
    let name = "2\u{a0}u [TEE-M] T-shirt M @ [r]";
    let required = |field: &str, name: &str| {
        user(format!("A value is required for field \"{field}\" in record \"{name}\" of \"Sale Line\"."))
    };
    let digits = |value: &str, field: &str, limit: u32| {
        user(format!(
            "The number of digits in the value \"'{value}'\" for field \"{field}\" in record \"{name}\" of \"Sale Line\" exceeds the limit of \"(None, {limit})\"."
        ))
    };
    vec![
        line(fixture, "no price", json!({"unit_price": "-"}), required("Unit Price", name)),
        line(fixture, "no quantity", json!({"quantity": "-"}), required("Quantity", "0\u{a0}u [TEE-M] T-shirt M @ [r]")),
        line(fixture, "no unit", json!({"unit": "-"}), required("Unit", "2.0 [TEE-M] T-shirt M @ [r]")),
        line(fixture, "a thousand without a price", json!({"unit_price": null, "quantity": 12345}),
            required("Unit Price", "12,345\u{a0}u [TEE-M] T-shirt M @ [r]")),
        line(fixture, "too many digits in a price", json!({"unit_price": {"__class__": "Decimal", "decimal": "1.23456"}}),
            digits("1.23456", "Unit Price", 4)),
        line(fixture, "half a piece", json!({"quantity": 1.5}), digits("1.5", "Quantity", 0)),
        line(fixture, "a price that is a word", json!({"unit_price": "abc"}), exception("[<class 'decimal.ConversionSyntax'>]")),
        line(fixture, "a price that is a list", json!({"unit_price": [1]}), exception("argument must be a sequence of length 3")),
        line(fixture, "a quantity that is a word", json!({"quantity": "abc"}), exception("could not convert string to float: 'abc'")),
        line(fixture, "a quantity that is a list", json!({"quantity": [1]}),
            exception("float() argument must be a string or a real number, not 'list'")),
        line(fixture, "a tax that is not there", json!({"taxes": [["add", [99]]]}),
            Answer::Domain(
                format!("The value \"99\" for field \"Taxes\" in record \"{name}\" of \"Sale Line\" is not valid according to its domain."),
                json!([["company", "=", company]]),
            )),
        line(fixture, "taxes without a command", json!({"taxes": [1]}), exception("'int' object is not subscriptable")),
        line(fixture, "a unit that is not there", json!({"unit": 999}),
            user("You are trying to read records \"999\" of \"Product Uom\" that don't exist.")),
        line(fixture, "a unit of another kind", json!({"unit": kilogram}),
            Answer::Domain(
                "The value \"Kilogram\" for field \"Unit\" in record \"2.00\u{a0}kg [TEE-M] T-shirt M @ [r]\" of \"Sale Line\" is not valid according to its domain.".to_owned(),
                json!([["category", "=", 1]]),
            )),
        line(fixture, "an unknown field of a line", json!({"colour": 1}), exception("'colour'")),
        line(fixture, "an amount of our own", json!({"amount": 3}), exception("Missing setter function for field \"Amount\" in \"Sale Line\".")),
    ]
}

fn states(fixture: &Fixture) -> Vec<Wrong> {
    let Fixture { draft, empty, quotation, processing, processing_line, party, address, .. } = fixture;
    let press = |name, button: &'static str, sale: &Json, shown: &str| {
        let label = button.rsplit('.').next().unwrap();
        model(name, button, json!([[sale]]), user(format!("You can not call \"{label}\" on \"{shown}\" of \"Sale\".")))
    };
    let frozen = |name, sale: &Json, values: Json, field: &str, shown: &str| {
        let message = format!("You are not allowed to modify the field \"{field}\" in record \"{shown}\" of \"Sale\".");
        model(name, "sale.sale.write", json!([[sale], values]), user(message))
    };
    let line_name = "2\u{a0}u [TEE-M] T-shirt M @ 2 [p]";
    vec![
        press("confirming a draft", "sale.sale.confirm", draft, "[d]"),
        press("processing a draft", "sale.sale.process", draft, "[d]"),
        press("quoting nothing", "sale.sale.quote", empty, "[e]"),
        press("quoting twice", "sale.sale.quote", quotation, "1 [q]"),
        press("processing a quotation", "sale.sale.process", quotation, "1 [q]"),
        press("cancelling what is processed", "sale.sale.cancel", processing, "2 [p]"),
        press("taking back what is processed", "sale.sale.draft", processing, "2 [p]"),
        press("confirming what is processed", "sale.sale.confirm", processing, "2 [p]"),
        model("one sale twice", "sale.sale.quote", json!([[draft, draft]]), page(422, "Duplicate records")),
        model(
            "a sale that is not there",
            "sale.sale.quote",
            json!([[999]]),
            user("You are trying to read records \"999\" of \"Sale\" that don't exist."),
        ),
        model(
            "sales that are a text",
            "sale.sale.quote",
            json!(["x"]),
            exception("invalid literal for int() with base 10: 'x'"),
        ),
        frozen("a description after the quotation", quotation, json!({"description": "x"}), "Description", "1 [q]"),
        frozen("a party while processed", processing, json!({"party": party}), "Party", "2 [p]"),
        frozen(
            "an address while processed",
            processing,
            json!({"shipment_address": address}),
            "Shipment Address",
            "2 [p]",
        ),
        frozen("a sale date while processed", processing, json!({"sale_date": null}), "Sale Date", "2 [p]"),
        frozen("a shipping date while processed", processing, json!({"shipping_date": null}), "Shipping Date", "2 [p]"),
        model(
            "a line's quantity while processed",
            "sale.line.write",
            json!([[processing_line], {"quantity": 5}]),
            user(format!(
                "You are not allowed to modify the field \"Quantity\" in record \"{line_name}\" of \"Sale Line\"."
            )),
        ),
        model(
            "a line taken away while processed",
            "sale.sale.write",
            json!([[processing], {"lines": [["delete", [processing_line]]]}]),
            user(format!("To delete line \"{line_name}\" you must cancel or reset to draft sale \"2 [p]\".")),
        ),
        model(
            "a line added while processed",
            "sale.sale.write",
            json!([[processing], {"lines": [["create", [{"product": fixture.product, "quantity": 1, "unit": fixture.unit, "unit_price": 1}]]]}]),
            user(
                "You are not allowed to modify the field \"Product\" in record \"1\u{a0}u [TEE-M] T-shirt M @ 2 [p]\" of \"Sale Line\".",
            ),
        ),
        model(
            "deleting a quotation",
            "sale.sale.delete",
            json!([[quotation]]),
            user("To delete sale \"1 [q]\" you must cancel it."),
        ),
        model(
            "deleting what is processed",
            "sale.sale.delete",
            json!([[processing]]),
            user("To delete sale \"2 [p]\" you must cancel it."),
        ),
        model(
            "writing to a sale that is not there",
            "sale.sale.write",
            json!([[999], {"comment": "x"}]),
            user("You are trying to write to records \"999\" of \"Sale\" that don't exist."),
        ),
        model("writing an unknown field", "sale.sale.write", json!([[draft], {"colour": "x"}]), exception("'colour'")),
        model(
            "writing no values",
            "sale.sale.write",
            json!([[draft]]),
            exception("ModelSQL.write() missing 1 required positional argument: 'values'"),
        ),
        model(
            "writing values that are a text",
            "sale.sale.write",
            json!([[draft], "x"]),
            exception("'str' object has no attribute 'keys'"),
        ),
    ]
}

fn quotations(fixture: &Fixture) -> Vec<Wrong> {
    let missing = |what: &str| format!("To get a quote for sale \"[n]\" you must enter {what}.");
    let Fixture { without_invoice_address, without_shipment_address, .. } = fixture;
    vec![
        model(
            "quoting without an invoice address",
            "sale.sale.quote",
            json!([[without_invoice_address]]),
            user(missing("an invoice address")),
        ),
        model(
            "quoting without a shipment address",
            "sale.sale.quote",
            json!([[without_shipment_address]]),
            user(missing("a shipment address")),
        ),
        model(
            "quoting without a warehouse",
            "sale.sale.quote",
            json!([[fixture.without_warehouse]]),
            user(missing("a warehouse for the line \"2\u{a0}u [TEE-M] T-shirt M @ [n]\"")),
        ),
    ]
}

/// Every wrong request.
pub(super) fn all(fixture: &Fixture) -> Vec<Wrong> {
    [
        protocol(),
        reads(),
        sales(fixture),
        lines(fixture),
        states(fixture),
        quotations(fixture),
        returns::all(fixture),
        parties::all(fixture),
    ]
    .into_iter()
    .flatten()
    .collect()
}
