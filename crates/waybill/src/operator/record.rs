//! Which record a person means.

use console::services::{Services, Unanswered};
use waybill_proto::wire::RecordKey;

/// What a person wrote came to.
pub(super) struct Meant {
    /// The records, orders first.
    pub(super) keys: Vec<RecordKey>,
    /// Sources that could not be asked for the name.
    pub(super) unanswered: Vec<Unanswered>,
}

/// `main/order/123` is that record; anything else is what people call one or more records.
pub(super) async fn meant(services: &Services, text: &str) -> Meant {
    if let Some(key) = parse(text) {
        return Meant { keys: vec![key], unanswered: Vec::new() };
    }
    let named = services.named(text).await;
    Meant { keys: named.keys, unanswered: named.unanswered }
}

/// The record of a key; none if the text is none.
pub(super) fn parse(text: &str) -> Option<RecordKey> {
    let key: Vec<&str> = text.split('/').collect();
    match key[..] {
        [store, kind, id] if kind.parse::<waybill_domain::Kind>().is_ok() => {
            Some(RecordKey { store: store.to_owned(), kind: kind.to_owned(), id: id.to_owned() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_key_is_told_from_a_name() {
        assert_eq!(parse("main/order/123").map(|key| key.id), Some("123".to_owned()));
        for name in ["#1001", "main/orders/123", "A/B/C", "main/order"] {
            assert!(parse(name).is_none(), "{name}");
        }
    }
}
