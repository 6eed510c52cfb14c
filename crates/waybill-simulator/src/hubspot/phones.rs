//! The properties that HubSpot calculates from a contact's phone numbers.
//!
//! Names: the property labels "Calculated Phone Number" and "Calculated Phone Number without country code". Values as
//! seen in accounts: `+33655555555` gives `655555555`, `513-227-1572` in an account of the USA `+15132271572` and
//! `5132271572`, `08180854296` without a country `8180854296` alone, `00004` gives `4`.

/// A phone property, the whole number calculated from it, and the number without country code.
pub(super) const CALCULATED: [(&str, &str, &str); 2] = [
    ("phone", "hs_calculated_phone_number", "hs_searchable_calculated_phone_number"),
    ("mobilephone", "hs_calculated_mobile_number", "hs_searchable_calculated_mobile_number"),
];

/// ITU's country codes of two digits; 1 and 7 have one, all others three (recommendation E.164, list of codes).
const TWO_DIGITS: &str = "20 27 28 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 \
    63 64 65 66 81 82 83 84 86 89 90 91 92 93 94 95 98";

/// The whole number, empty if the country is not known, and the number without country code. `country` is the code of
/// numbers that are written without one.
pub(super) fn calculated(text: &str, country: Option<&str>) -> (String, String) {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let international = text.trim_start().starts_with('+');
    let (code, rest) = if international { digits.split_at(code_length(&digits)) } else { ("", digits.as_str()) };
    let local = rest.trim_start_matches('0').to_owned();
    let code = if international { Some(code) } else { country };
    let whole = code.filter(|_| !local.is_empty()).map_or_else(String::new, |code| format!("+{code}{local}"));
    (whole, local)
}

fn code_length(digits: &str) -> usize {
    let wanted = match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [_, _, ..] if TWO_DIGITS.split(' ').any(|code| digits.starts_with(code)) => 2,
        _ => 3,
    };
    wanted.min(digits.len())
}

#[cfg(test)]
mod tests {
    use super::calculated;

    #[test]
    fn numbers_are_calculated_as_seen() {
        for (text, country, whole, local) in [
            ("+33655555555", None, "+33655555555", "655555555"),
            ("513-227-1572", Some("1"), "+15132271572", "5132271572"),
            ("08180854296", None, "", "8180854296"),
            ("00004", None, "", "4"),
            ("+43 (0) 1 5550100", None, "+4315550100", "15550100"),
            ("+420 777 123456", None, "+420777123456", "777123456"),
            ("", Some("43"), "", ""),
        ] {
            assert_eq!(calculated(text, country), (whole.to_owned(), local.to_owned()), "{text}");
        }
    }
}
