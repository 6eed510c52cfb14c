//! Phone numbers, so far that two ways of writing one are equal.

/// A number in the international form, `+` and digits. `country_prefix` (such as `+43`) stands for the leading 0 of a
/// national number. `None` if the text has fewer than six digits, or is a national number and no prefix is given:
/// then two equal texts need not be one phone.
pub fn normalise(text: &str, country_prefix: Option<&str>) -> Option<String> {
    // "(0)" in "+43 (0) 1 5550100" is dialled at home only.
    let text = text.replace("(0)", "");
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let international = if text.trim_start().starts_with('+') {
        digits
    } else if let Some(rest) = digits.strip_prefix("00") {
        rest.to_owned()
    } else {
        let national = digits.strip_prefix('0').unwrap_or(&digits);
        let prefix: String = country_prefix?.chars().filter(char::is_ascii_digit).collect();
        format!("{prefix}{national}")
    };
    (international.len() >= 6).then(|| format!("+{international}"))
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn one_phone_written_in_several_ways_is_one() {
        for text in ["+43 1 5550100", "0043 1 5550100", "+43 (0) 1 555-0100", "01 / 555 01 00"] {
            assert_eq!(normalise(text, Some("+43")).as_deref(), Some("+4315550100"), "{text}");
        }
    }

    #[test]
    fn what_could_be_several_phones_is_none() {
        assert_eq!(normalise("01 5550100", None), None);
        assert_eq!(normalise("112", Some("+43")), None);
        assert_eq!(normalise("", Some("+43")), None);
    }
}
