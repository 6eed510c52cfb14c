//! What is wrong with an address that has every part: the vendor's document takes only abbreviations for the states of
//! some countries ("including the U.S.") and two-letter ISO 3166-1 countries.

use serde_json::{Map, Value};

use super::answers::Problem;

const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ \
    BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES \
    ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO \
    IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK \
    ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR \
    PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK \
    TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

const US_STATES: &str = "AA AE AK AL AP AR AS AZ CA CO CT DC DE FL FM GA GU HI IA ID IL IN KS KY LA MA MD ME MH MI MN \
    MO MP MS MT NC ND NE NH NJ NM NV NY OH OK OR PA PR PW RI SC SD TN TX UT VA VI VT WA WI WV WY";
const CA_PROVINCES: &str = "AB BC MB NB NL NS NT NU ON PE QC SK YT";
const AU_STATES: &str = "ACT NSW NT QLD SA TAS VIC WA";

/// Adds what is wrong with the address at `path`. Parts that are missing are the shape's business.
pub(super) fn check(address: &Map<String, Value>, path: &str, problems: &mut Vec<Problem>) {
    let part = |name: &str| address.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut refuse = |name: &str, message: &str| {
        let value = address.get(name).unwrap_or(&Value::Null);
        problems.push(Problem::coded("invalid_address", &format!("{path}.{name}"), value, message));
    };
    let country = part("country_code");
    if country.chars().count() != 2 {
        return;
    }
    if !is_one_of(COUNTRIES, country) {
        return refuse("country_code", "The country code is not an ISO 3166-1 alpha-2 code.");
    }
    let state = part("state_province");
    let states = match country {
        "US" => Some(US_STATES),
        "CA" => Some(CA_PROVINCES),
        "AU" => Some(AU_STATES),
        _ => None,
    };
    if !state.is_empty() && states.is_some_and(|states| !is_one_of(states, state)) {
        refuse("state_province", "The state or province is not an abbreviation of the country's.");
    }
    let postal_code = part("postal_code");
    if !postal_code.is_empty() && !has_form_of(country, postal_code) {
        refuse("postal_code", "The postal code does not have the country's form.");
    }
}

fn is_one_of(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

/// Forms by example: `9` is a digit, `A` a letter, a space may be left out.
fn has_form_of(country: &str, postal_code: &str) -> bool {
    let forms: &[&str] = match country {
        "US" => &["99999", "99999-9999"],
        "CA" => &["A9A 9A9"],
        "AU" | "AT" | "CH" | "BE" | "DK" => &["9999"],
        "DE" | "FR" | "IT" | "ES" => &["99999"],
        "NL" => &["9999 AA"],
        "GB" => &["A9 9AA", "A99 9AA", "AA9 9AA", "AA99 9AA", "A9A 9AA", "AA9A 9AA"],
        _ => return true,
    };
    let squeezed: String = postal_code.chars().filter(|c| *c != ' ').collect();
    forms.iter().any(|form| {
        let form: Vec<char> = form.chars().filter(|c| *c != ' ').collect();
        form.len() == squeezed.chars().count()
            && form.iter().zip(squeezed.chars()).all(|(form, c)| match form {
                '9' => c.is_ascii_digit(),
                'A' => c.is_ascii_alphabetic(),
                other => *other == c,
            })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    fn fields(address: serde_json::Value) -> Vec<String> {
        let mut problems = Vec::new();
        check(address.as_object().unwrap(), "ship_to", &mut problems);
        problems.into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn states_and_postal_codes_are_the_countrys() {
        let address = |country: &str, state: &str, code: &str| {
            fields(json!({ "country_code": country, "state_province": state, "postal_code": code }))
        };
        assert!(address("US", "TX", "78756").is_empty());
        assert!(address("CA", "MB", "R2C 0A1").is_empty());
        assert!(address("GB", "London", "SW1A 1AA").is_empty());
        assert!(address("SG", "Singapore", "238801").is_empty());
        assert_eq!(address("US", "Texas", "7875"), ["ship_to.state_province", "ship_to.postal_code"]);
        assert_eq!(address("AU", "XX", "2000"), ["ship_to.state_province"]);
        assert_eq!(address("ZZ", "", ""), ["ship_to.country_code"]);
    }
}
