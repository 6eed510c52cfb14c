//! Instants as ShipStation writes them.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// `2018-09-23T15:00:00.000Z`, or a day alone, which begins at midnight UTC.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let day: Date = text.get(..10).unwrap_or(text).parse().ok()?;
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn instants_and_days_are_read() {
        let text = |text| instant(text).map(|at| at.to_string());
        assert_eq!(text("2018-09-23T15:00:00.000Z").as_deref(), Some("2018-09-23T15:00:00Z"));
        assert_eq!(text("2018-09-23").as_deref(), Some("2018-09-23T00:00:00Z"));
        assert_eq!(text("2018-09-23T00:00:00").as_deref(), Some("2018-09-23T00:00:00Z"));
        assert_eq!(text("soon"), None);
    }
}
