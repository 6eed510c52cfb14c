//! Parties, how they are reached, and where they live.

use serde_json::{Value as Json, json};

use super::super::{Answer, Wrong, exception, fixture::Fixture, merge, model, user};

pub(super) fn all(fixture: &Fixture) -> Vec<Wrong> {
    let Fixture { party, other_party, address, mechanism, germany, california, .. } = fixture;
    let mechanism_of = |values: Json| {
        let mut all = json!({"party": party});
        merge(&mut all, values);
        json!([[all]])
    };
    let required = |field: &str, record: &str, model: &str| {
        user(format!("A value is required for field \"{field}\" in record \"{record}\" of \"{model}\"."))
    };
    vec![
        model("a party's code twice", "party.party.create", json!([[{"name": "Ann", "code": "wk1"}]]), user("The code on party must be unique.")),
        model("another code for a party", "party.party.write", json!([[party], {"code": "wk9"}]),
            user("You are not allowed to modify the field \"Code\" in record \"Ann\" of \"Party\".")),
        model("a party's email by its computed field", "party.party.write", json!([[party], {"email": "a@example.com"}]),
            user("You are not allowed to modify the field \"Email\" in record \"Ann\" of \"Party\".")),
        model("a party that sales need", "party.party.delete", json!([[fixture.buyer]]),
            user("The records could not be deleted because they are used by field \"Party\" of \"Sale\".")),
        model("a contact without a value", "party.contact_mechanism.create", mechanism_of(json!({"type": "email"})),
            required("Value", "Ann <None>", "Party Contact Mechanism")),
        model("an identifier of nobody", "party.identifier.create", json!([[{"code": "x"}]]), required("Party", "x", "Party Identifier")),
        model("an identifier's compact form of our own", "party.identifier.create", json!([[{"party": party, "code": "x", "code_compact": "y"}]]),
            user("You are not allowed to modify the field \"Code Compact\" of \"Party Identifier\".")),
        model("a contact with an empty value", "party.contact_mechanism.create", mechanism_of(json!({"type": "email", "value": " "})),
            required("Value", "Ann <>", "Party Contact Mechanism")),
        model("a contact of a kind that is none", "party.contact_mechanism.create", mechanism_of(json!({"type": "pigeon", "value": "x"})),
            user("The value \"pigeon\" for field \"Type\" in record \"Ann <x>\" of \"Party Contact Mechanism\" is not one of the allowed options.")),
        model("a contact that changes hands", "party.contact_mechanism.write", json!([[mechanism], {"party": other_party}]),
            user("You cannot change the party of contact mechanism \"Ann <ann@example.com>\".")),
        model("an address of nobody", "party.address.create", json!([[{"street": "x"}]]), required("Party", "x", "Party Address")),
        model("an address that changes hands", "party.address.write", json!([[address], {"party": other_party}]),
            user("You are not allowed to modify the field \"Party\" in record \"Ann, Main 1, Berlin, DE\" of \"Party Address\".")),
        model("California in Germany", "party.address.create", json!([[{"party": party, "country": germany, "subdivision": california}]]),
            Answer::Domain(
                "The value \"California\" for field \"Subdivision\" in record \"Ann, DE\" of \"Party Address\" is not valid according to its domain.".to_owned(),
                json!([["country", "=", germany]]),
            )),
        model("a postal code by an older name", "party.address.create", json!([[{"party": party, "zip": "1"}]]), exception("'zip'")),
    ]
}
