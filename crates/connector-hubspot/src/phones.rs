//! A person's phone among HubSpot's. Pure.

use std::collections::BTreeSet;

use waybill_domain::phone;

use crate::wire::Object;

/// What a contact's phones are read from: as they were typed, and as HubSpot understands them with the country of the
/// contact or the account.
pub(crate) const SHOWN: [&str; 4] =
    ["phone", "mobilephone", "hs_calculated_phone_number", "hs_calculated_mobile_number"];

/// What search compares phones by. "HubSpot only uses the area code and local number. You should refrain from including
/// the country code" (search guide, "Limits").
pub(crate) const SEARCHED: [&str; 2] =
    ["hs_searchable_calculated_phone_number", "hs_searchable_calculated_mobile_number"];

/// ITU's country codes of two digits (E.164, list of assigned codes); 1 and 7 have one digit, the others three.
const CODES_OF_TWO_DIGITS: [&str; 44] = [
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51",
    "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90",
    "91", "92", "93", "94", "95", "98",
];

/// The forms under which search may know a number in the international form: without its country code, with and without
/// the zero that some countries keep there, and with the code, for a number that HubSpot took for a local one.
pub(crate) fn searched(international: &str) -> BTreeSet<String> {
    let digits = international.trim_start_matches('+');
    let local = digits.get(country_code_length(digits)..).unwrap_or_default();
    [digits, local, local.trim_start_matches('0')]
        .into_iter()
        .filter(|form| !form.is_empty())
        .map(str::to_owned)
        .collect()
}

fn country_code_length(digits: &str) -> usize {
    if digits.starts_with(['1', '7']) {
        1
    } else if CODES_OF_TWO_DIGITS.iter().any(|code| digits.starts_with(code)) {
        2
    } else {
        3
    }
}

/// Whether one of a contact's phones is this number in the international form.
pub(crate) fn has(contact: &Object, international: &str) -> bool {
    SHOWN.iter().any(|name| phone::normalise(contact.value(name), None).as_deref() == Some(international))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(name: &str, shown: &str) -> Object {
        let properties = [(name.to_owned(), Some(shown.to_owned()))].into();
        Object { id: "1".to_owned(), properties, object_write_trace_id: None }
    }

    #[test]
    fn a_number_is_searched_with_and_without_its_country_code() {
        for (number, local) in [
            ("+15132271572", "5132271572"),
            ("+79161234567", "9161234567"),
            ("+33655555555", "655555555"),
            ("+982112345678", "2112345678"),
            ("+420777123456", "777123456"),
            ("+390612345678", "612345678"),
        ] {
            let forms = searched(number);
            assert!(forms.contains(local) && forms.contains(number.trim_start_matches('+')), "{number}: {forms:?}");
            assert!(forms.len() <= 3, "{forms:?}");
        }
        assert!(searched("+390612345678").contains("0612345678"));
    }

    #[test]
    fn a_contact_has_a_number_however_it_was_typed_and_if_hubspot_knows_its_country() {
        assert!(has(&contact("phone", "+43 (0) 1 555-0100"), "+4315550100"));
        assert!(has(&contact("mobilephone", "0043 1 5550100"), "+4315550100"));
        assert!(has(&contact("hs_calculated_phone_number", "+4315550100"), "+4315550100"));
        assert!(!has(&contact("phone", "01 5550100"), "+4315550100"), "it could be a number of another country");
        assert!(!has(&contact("company", "+4315550100"), "+4315550100"));
    }
}
