//! Whether a value can be stored in a property, and in which form.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

use super::{
    answers::Detail,
    property::{DataType, Property},
    record::iso,
};

/// Longest text (properties guide: "limited to 65,536 characters").
const LONGEST_TEXT: usize = 65_536;

/// Domains' last labels of more than two letters that are accepted. HubSpot compares with IANA's list
/// (legacydocs.hubspot.com, "How does HubSpot validate email addresses?"), which is not held here: country codes are
/// taken by their two letters, others by this selection, so that `.con` and RFC 2606's `.test` are refused.
const TOP_LEVEL_DOMAINS: &[&str] = &[
    "agency",
    "app",
    "art",
    "asia",
    "berlin",
    "biz",
    "blog",
    "business",
    "care",
    "cloud",
    "club",
    "coffee",
    "com",
    "company",
    "consulting",
    "design",
    "dev",
    "digital",
    "edu",
    "email",
    "events",
    "expert",
    "fashion",
    "finance",
    "fun",
    "games",
    "garden",
    "global",
    "gmbh",
    "gov",
    "group",
    "guru",
    "health",
    "house",
    "info",
    "ink",
    "int",
    "international",
    "jobs",
    "kitchen",
    "land",
    "legal",
    "life",
    "link",
    "live",
    "london",
    "ltd",
    "marketing",
    "media",
    "mil",
    "mobi",
    "museum",
    "name",
    "net",
    "network",
    "news",
    "ngo",
    "online",
    "org",
    "paris",
    "partners",
    "photo",
    "plus",
    "pro",
    "pub",
    "rocks",
    "sale",
    "school",
    "services",
    "shop",
    "shopping",
    "site",
    "social",
    "software",
    "solar",
    "solutions",
    "space",
    "store",
    "studio",
    "style",
    "support",
    "systems",
    "team",
    "tech",
    "technology",
    "tel",
    "today",
    "tools",
    "top",
    "tours",
    "toys",
    "trade",
    "training",
    "travel",
    "university",
    "vegas",
    "ventures",
    "vip",
    "website",
    "wiki",
    "wine",
    "work",
    "works",
    "world",
    "xyz",
    "yoga",
    "zone",
];

/// The stored form of a value; the empty text clears.
pub(super) fn accept(property: &Property, value: &str) -> Result<String, Detail> {
    let wrong = |code, message: String| Detail { code, property: property.name.clone(), message };
    if property.read_only {
        let message = format!("\"{}\" is a read only property; its value cannot be set.", property.name);
        return Err(wrong("READ_ONLY_VALUE", message));
    }
    if value.is_empty() {
        return Ok(String::new());
    }
    match property.data_type {
        // The code of a text that is too long is not documented; this one is made up.
        DataType::Text | DataType::PhoneNumber if value.chars().count() > LONGEST_TEXT => Err(wrong(
            "INVALID_STRING",
            format!("{} is longer than the maximum of {LONGEST_TEXT} characters.", property.name),
        )),
        DataType::Text | DataType::PhoneNumber => Ok(value.to_owned()),
        DataType::Email => {
            email(value).ok_or_else(|| wrong("INVALID_EMAIL", format!("Email address {value} is invalid")))
        }
        DataType::Emails => value
            .split(';')
            .map(|one| email(one).ok_or_else(|| wrong("INVALID_EMAIL", format!("Email address {one} is invalid"))))
            .collect::<Result<Vec<String>, Detail>>()
            .map(|all| all.join(";")),
        DataType::Number if is_number(value) => Ok(value.to_owned()),
        DataType::Number => Err(wrong("INVALID_INTEGER", format!("{value} was not a valid number."))),
        DataType::Date => date(value).map_err(|message| wrong("INVALID_DATE", message)),
        DataType::DateTime => {
            date_time(value).ok_or_else(|| wrong("INVALID_DATE", format!("{value} was not a valid date.")))
        }
        DataType::Bool if matches!(value, "true" | "false") => Ok(value.to_owned()),
        DataType::Bool => Err(wrong("INVALID_OPTION", not_an_option(value, &["true", "false"]))),
        DataType::Enumeration => {
            let allowed: Vec<&str> = property.choices.iter().map(|choice| choice.value.as_str()).collect();
            let several = property.field_type == "checkbox";
            let chosen: Vec<&str> =
                if several { value.trim_start_matches(';').split(';').collect() } else { vec![value] };
            match chosen.iter().find(|one| !allowed.contains(*one)) {
                Some(unknown) => Err(wrong("INVALID_OPTION", not_an_option(unknown, &allowed))),
                None => Ok(value.to_owned()),
            }
        }
    }
}

/// The value of a multiple-choice property after a write: a leading semicolon adds to what is there (properties guide,
/// "Add values to checkbox type properties").
pub(super) fn added_to(stored: Option<&str>, value: String) -> String {
    let Some(added) = value.strip_prefix(';') else {
        return value;
    };
    let mut chosen: Vec<&str> = stored.map_or_else(Vec::new, |stored| stored.split(';').collect());
    for one in added.split(';') {
        if !chosen.contains(&one) {
            chosen.push(one);
        }
    }
    chosen.join(";")
}

fn not_an_option(value: &str, allowed: &[&str]) -> String {
    format!("{value} was not one of the allowed options: [{}]", allowed.join(", "))
}

/// "A number value containing numeric digits and at most one decimal"; decimal or scientific notation.
fn is_number(value: &str) -> bool {
    Decimal::from_str_exact(value).is_ok() || Decimal::from_scientific(value).is_ok()
}

/// A day, as `YYYY-MM-DD`, a midnight in ISO 8601 or a midnight in milliseconds.
fn date(value: &str) -> Result<String, String> {
    if let Ok(day) = value.parse::<Date>()
        && value.len() == "2020-02-29".len()
    {
        return Ok(day.to_string());
    }
    let time = instant(value).ok_or_else(|| format!("{value} was not a valid date."))?;
    let clock = time.strftime("%H:%M:%S%.3f").to_string();
    if clock == "00:00:00.000" {
        Ok(time.strftime("%Y-%m-%d").to_string())
    } else {
        Err(format!("{value} is at {clock} UTC, not midnight!"))
    }
}

fn date_time(value: &str) -> Option<String> {
    if value.len() == "2020-02-29".len()
        && let Ok(day) = value.parse::<Date>()
    {
        return Some(format!("{day}T00:00:00.000Z"));
    }
    instant(value).map(|time| iso(time.as_millisecond()))
}

/// ISO 8601 with an offset, or milliseconds since the epoch.
fn instant(value: &str) -> Option<Timestamp> {
    match value.parse::<i64>() {
        Ok(ms) => Timestamp::from_millisecond(ms).ok(),
        Err(_) => value.parse().ok(),
    }
}

/// RFC 2822's `local@domain` without quoted parts, its domain ending in a top-level domain; stored in lower case.
fn email(value: &str) -> Option<String> {
    let value = value.trim().to_lowercase();
    let (local, domain) = value.rsplit_once('@')?;
    let atom =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c));
    let label = |text: &str| {
        (1..=63).contains(&text.len())
            && text.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !text.starts_with('-')
            && !text.ends_with('-')
    };
    let top = domain.rsplit('.').next()?;
    let known_top = top.chars().all(char::is_alphabetic)
        && (top.chars().count() == 2 || !top.is_ascii() || TOP_LEVEL_DOMAINS.contains(&top))
        || top.starts_with("xn--");
    let valid = local.len() <= 64
        && local.split('.').all(atom)
        && domain.contains('.')
        && domain.split('.').all(label)
        && known_top;
    valid.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_a_plain_local_part_and_a_real_top_level_domain() {
        for right in ["jo@example.com", "j.o+x@mail.example.co.uk", "JO@Example.COM", "a@müller.de", "a@x.shop"] {
            assert_eq!(email(right), Some(right.to_lowercase()), "{right}");
        }
        let wrong = ["jo", "jo@", "@x.com", "jo@x", "jo@x.con", "jo@x.test", "\"jo\"@x.com", "j o@x.com", "jo@-x.com"];
        for wrong in wrong.into_iter().chain([".jo@x.com", "jo@x..com", "jo@x.com."]) {
            assert_eq!(email(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_date_is_a_day_or_a_midnight() {
        assert_eq!(date("2015-05-01").as_deref(), Ok("2015-05-01"));
        assert_eq!(date("1430438400000").as_deref(), Ok("2015-05-01"));
        assert_eq!(
            date("1521225089103").unwrap_err(),
            "1521225089103 is at 18:31:29.103 UTC, not midnight!",
            "the text that people quote"
        );
        assert!(date("tomorrow").is_err());
    }

    #[test]
    fn a_time_is_answered_in_milliseconds() {
        assert_eq!(date_time("1427997766000").as_deref(), Some("2015-04-02T18:02:46.000Z"));
        assert_eq!(date_time("2020-02-29T03:30:17Z").as_deref(), Some("2020-02-29T03:30:17.000Z"));
        assert_eq!(date_time("2020-02-29"), Some("2020-02-29T00:00:00.000Z".to_owned()));
        assert_eq!(date_time("yesterday"), None);
    }

    #[test]
    fn a_number_has_digits_and_one_point() {
        assert!(["12", "-12.50", "1e3", "0.10"].iter().all(|text| is_number(text)));
        assert!(["5,333,222", "23.345.567", "ten", "12 EUR", "NaN"].iter().all(|text| !is_number(text)));
    }

    #[test]
    fn a_leading_semicolon_adds_a_choice() {
        assert_eq!(added_to(Some("a;b"), ";b;c".to_owned()), "a;b;c");
        assert_eq!(added_to(Some("a;b"), "c".to_owned()), "c");
        assert_eq!(added_to(None, ";c".to_owned()), "c");
    }
}
