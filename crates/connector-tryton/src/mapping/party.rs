//! People as parties.

use serde_json::{Map, Value as Json, json};
use waybill_connector::Failure;
use waybill_domain::{
    ObjectKey,
    document::{CustomerDocument, OrderDocument, WritePolicy},
};

use super::{fields, one_line};
use crate::wire::MechanismRow;

/// The key of the party that buys, and what a new one is made of.
pub(crate) struct Buyer {
    pub(crate) key: ObjectKey,
    pub(crate) name: String,
    pub(crate) mechanisms: Vec<Mechanism>,
    pub(crate) fields: Map<String, Json>,
    pub(crate) policy: WritePolicy,
}

/// A way to reach somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mechanism {
    pub(crate) kind: &'static str,
    pub(crate) value: String,
}

/// Who buys an order: its customer, else whoever its addresses name, as a party of this order alone.
///
/// # Errors
/// `map_error` for a mapped field that cannot be.
pub(crate) fn of_order(document: &OrderDocument) -> Result<Buyer, Failure> {
    if let Some(customer) = &document.customer {
        return of_customer(customer);
    }
    let addresses = super::address::of_order(document);
    let named = addresses.iter().map(|address| &address.party_name).find(|name| !name.is_empty());
    let name = named.cloned().unwrap_or_else(|| format!("Buyer of {}", one_line(&document.name)));
    Ok(Buyer {
        key: key_of_order(document).clone(),
        name,
        mechanisms: Vec::new(),
        fields: Map::new(),
        policy: WritePolicy::default(),
    })
}

/// A customer as a party.
///
/// # Errors
/// `map_error` for a mapped field that cannot be.
pub(crate) fn of_customer(customer: &CustomerDocument) -> Result<Buyer, Failure> {
    Ok(Buyer {
        key: customer.key.clone(),
        name: one_line(customer.display_name().expose()),
        mechanisms: mechanisms(customer),
        fields: fields::encoded(&customer.fields, fields::PARTY_OWN)?,
        policy: customer.policy.clone(),
    })
}

/// E-mail and phone. A phone that is not written internationally is kept as `other`: Tryton may refuse it as a phone.
fn mechanisms(customer: &CustomerDocument) -> Vec<Mechanism> {
    let (email, phone) = (one_line(customer.email.expose()), one_line(customer.phone.expose()));
    let digits = phone.chars().filter(char::is_ascii_digit).count();
    let international = phone.starts_with('+') && (7..=15).contains(&digits);
    let phone_kind = if international { "phone" } else { "other" };
    [("email", email), (phone_kind, phone)]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(kind, value)| Mechanism { kind, value })
        .collect()
}

/// The key of the party that buys an order.
pub(crate) fn key_of_order(document: &OrderDocument) -> &ObjectKey {
    document.customer.as_ref().map_or(&document.key, |customer| &customer.key)
}

impl Buyer {
    /// The values of a new `party.party`.
    pub(crate) fn values(&self) -> Json {
        let mut values = self.fields.clone();
        values.insert("code".to_owned(), json!(self.key.as_str()));
        values.insert("name".to_owned(), json!(self.name));
        if !self.mechanisms.is_empty() {
            let all: Vec<_> = self.mechanisms.iter().map(Mechanism::values).collect();
            values.insert("contact_mechanisms".to_owned(), json!([["create", all]]));
        }
        Json::Object(values)
    }

    /// What must be written so that the party has these ways to be reached: a changed one is changed in place, so that
    /// what a colleague added stays.
    pub(crate) fn mechanism_commands(&self, rows: &[MechanismRow]) -> Vec<Json> {
        let mut commands = Vec::new();
        for wanted in &self.mechanisms {
            if rows.iter().any(|row| wanted.is(row)) {
                continue;
            }
            match rows.iter().find(|row| row.kind == wanted.kind) {
                Some(row) => commands.push(json!(["write", [row.id], {"value": wanted.value}])),
                None => commands.push(json!(["create", [wanted.values()]])),
            }
        }
        commands
    }
}

impl Mechanism {
    fn values(&self) -> Json {
        json!({"type": self.kind, "value": self.value})
    }

    /// Tryton writes phones with blanks between and e-mails in the domain's own case.
    fn is(&self, row: &MechanismRow) -> bool {
        let bare = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
        row.kind == self.kind && bare(&row.value) == bare(&self.value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use waybill_domain::{
        ObjectKey,
        document::{CustomerDocument, Fields},
        names::{Kind, RecordKey},
    };

    use super::of_customer;
    use crate::wire::MechanismRow;

    fn customer(email: &str, phone: &str) -> CustomerDocument {
        let record = RecordKey { store: "main".parse().unwrap(), kind: Kind::Customer, id: "7".parse().unwrap() };
        CustomerDocument {
            key: ObjectKey::new(&record, "customer"),
            source_id: None,
            first_name: "Jane".into(),
            last_name: "Roe".into(),
            email: email.into(),
            phone: phone.into(),
            fields: Fields::new(),
            policy: Default::default(),
        }
    }

    fn row(id: i64, kind: &str, value: &str) -> MechanismRow {
        MechanismRow { id, kind: kind.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn a_party_carries_our_key_as_its_code() {
        let customer = customer("jane@example.com", "+49 30 1234567");
        let values = of_customer(&customer).unwrap().values();
        assert_eq!((&values["code"], &values["name"]), (&json!(customer.key.as_str()), &json!("Jane Roe")));
        let expected = json!([["create", [
            {"type": "email", "value": "jane@example.com"}, {"type": "phone", "value": "+49 30 1234567"}
        ]]]);
        assert_eq!(values["contact_mechanisms"], expected);
    }

    #[test]
    fn a_phone_that_tryton_could_refuse_is_kept_as_other() {
        let values = of_customer(&customer("", "call me: 30 1234")).unwrap().values();
        assert_eq!(values["contact_mechanisms"][0][1][0]["type"], "other");
    }

    #[test]
    fn a_new_email_takes_the_place_of_the_old_one() {
        let buyer = of_customer(&customer("new@example.com", "")).unwrap();
        let rows = [row(3, "email", "old@example.com"), row(4, "phone", "+4930")];
        assert_eq!(buyer.mechanism_commands(&rows), [json!(["write", [3], {"value": "new@example.com"}])]);
    }

    #[test]
    fn an_email_that_is_there_already_is_left_alone() {
        let buyer = of_customer(&customer("jane@example.com", "+49301234567")).unwrap();
        let rows = [
            row(1, "email", "office@example.com"),
            row(2, "email", "Jane@Example.com"),
            row(3, "phone", "+49 30 1234567"),
        ];
        assert!(buyer.mechanism_commands(&rows).is_empty());
    }
}
