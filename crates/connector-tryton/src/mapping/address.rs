//! Postal addresses.

use serde_json::{Value as Json, json};
use waybill_domain::{customer::Address, document::OrderDocument};

use super::{one_line, same_text};
use crate::wire::{AddressRow, Id};

/// A postal address in Tryton's parts, before country and subdivision have ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PostalAddress {
    /// Whose name goes onto the label; the party's own if empty.
    pub(crate) party_name: String,
    /// Who at the company.
    pub(crate) attn: String,
    pub(crate) street: String,
    pub(crate) postal_code: String,
    pub(crate) city: String,
    /// ISO 3166-1 alpha-2; empty if there is none.
    pub(crate) country: String,
    /// ISO 3166-2, such as `US-CA`; empty if there is none.
    pub(crate) subdivision: String,
    /// State or province as a word.
    pub(crate) province: String,
}

/// The invoice address and the shipment address of an order: each stands in for the other, and an address without
/// any part for both, because Tryton sells nothing without them.
pub(crate) fn of_order(document: &OrderDocument) -> [PostalAddress; 2] {
    let billing = document.billing_address.as_ref().map(postal);
    let shipping = document.shipping_address.as_ref().map(postal);
    let invoice = billing.clone().or_else(|| shipping.clone()).unwrap_or_default();
    let shipment = shipping.or(billing).unwrap_or_default();
    [invoice, shipment]
}

fn postal(address: &Address) -> PostalAddress {
    let text = |part: &waybill_domain::Personal| one_line(part.expose());
    let person = one_line(&format!("{} {}", address.first_name.expose(), address.last_name.expose()));
    let company = text(&address.company);
    let (party_name, attn) = if company.is_empty() { (person, String::new()) } else { (company, person) };
    let street = [text(&address.address1), text(&address.address2)];
    let country = address.country_code.trim().to_ascii_uppercase();
    let province = address.province_code.trim().to_ascii_uppercase();
    let subdivision =
        if country.is_empty() || province.is_empty() { String::new() } else { format!("{country}-{province}") };
    PostalAddress {
        party_name,
        attn,
        street: street.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"),
        postal_code: text(&address.zip),
        city: text(&address.city),
        country,
        subdivision,
        province: one_line(&address.province),
    }
}

impl PostalAddress {
    /// The address where Tryton does not know the subdivision: the province is a line of the street, so that a label
    /// still shows it.
    #[must_use]
    pub(crate) fn without_subdivision(mut self) -> Self {
        if !self.province.is_empty() {
            let street = [std::mem::take(&mut self.street), std::mem::take(&mut self.province)];
            self.street = street.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        }
        self.subdivision.clear();
        self
    }

    /// The values of a `party.address`.
    pub(crate) fn values(&self, party: Id, country: Option<Id>, subdivision: Option<Id>) -> Json {
        json!({
            "party": party,
            "party_name": self.party_name,
            "attn": self.attn,
            "street_unstructured": self.street,
            "postal_code": self.postal_code,
            "city": self.city,
            "country": country,
            "subdivision": subdivision,
        })
    }

    /// Whether a record of Tryton's is this address. One without a name of its own bears the party's.
    pub(crate) fn is(&self, row: &AddressRow) -> bool {
        let code = |named: &Option<crate::wire::Named>| named.as_ref().and_then(|named| named.code.clone());
        let of_party = row.party.as_ref().and_then(|party| party.name.as_deref());
        let own = row.party_name.as_deref().filter(|name| !name.is_empty());
        (same_text(&self.party_name, own) || (own.is_none() && same_text(&self.party_name, of_party)))
            && same_text(&self.attn, row.attn.as_deref())
            && same_text(&self.street, row.street.as_deref())
            && same_text(&self.postal_code, row.postal_code.as_deref())
            && same_text(&self.city, row.city.as_deref())
            && same_text(&self.country, code(&row.country).as_deref())
            && same_text(&self.subdivision, code(&row.subdivision).as_deref())
    }
}

#[cfg(test)]
mod tests {
    use waybill_domain::customer::Address;

    use super::postal;

    fn address() -> Address {
        Address {
            first_name: "Jane".into(),
            last_name: "Roe".into(),
            address1: " Main St 1 ".into(),
            address2: "Flat\t2".into(),
            city: "Los Angeles".into(),
            zip: "90001".into(),
            province: "California".into(),
            province_code: "CA".into(),
            country_code: "us".into(),
            ..Address::default()
        }
    }

    #[test]
    fn an_address_is_split_as_tryton_keeps_it() {
        let postal = postal(&address());
        assert_eq!((postal.party_name.as_str(), postal.attn.as_str()), ("Jane Roe", ""));
        assert_eq!(postal.street, "Main St 1\nFlat 2");
        assert_eq!((postal.country.as_str(), postal.subdivision.as_str()), ("US", "US-CA"));
    }

    #[test]
    fn a_company_is_addressed_with_the_person_at_it() {
        let postal = postal(&Address { company: "Acme".into(), ..address() });
        assert_eq!((postal.party_name.as_str(), postal.attn.as_str()), ("Acme", "Jane Roe"));
    }

    #[test]
    fn a_province_that_tryton_does_not_know_stays_on_the_label() {
        let postal = postal(&address()).without_subdivision();
        assert_eq!(postal.street, "Main St 1\nFlat 2\nCalifornia");
        assert_eq!((postal.subdivision.as_str(), postal.province.as_str()), ("", ""));
    }
}
