//! What is parked, and what was planted to be.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A parked record, as `waybill parked list --json` gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Parked {
    pub(crate) store: String,
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) system: String,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) revision: i64,
}

/// A record that is wrong on purpose, as the simulator tells: what must become of it in one system.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Planted {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) system: String,
    pub(crate) code: String,
}

/// How what is parked differs from what was planted; empty if it is exactly that, with the expected codes.
pub(crate) fn differences(planted: &[Planted], parked: &[Parked]) -> Vec<String> {
    let mut expected: BTreeMap<_, _> = planted.iter().map(|one| ((&one.kind, &one.id, &one.system), one)).collect();
    let mut found = Vec::new();
    for one in parked {
        match expected.remove(&(&one.kind, &one.id, &one.system)) {
            Some(planted) if planted.code == one.code => {}
            Some(planted) => found.push(format!(
                "{} {} is parked for {} as {}, not as {}: {}",
                one.kind, one.name, one.system, one.code, planted.code, one.message
            )),
            None => found.push(format!(
                "{} {} is parked for {} as {}, and was not planted: {}",
                one.kind, one.name, one.system, one.code, one.message
            )),
        }
    }
    let missing = expected.into_values();
    found.extend(missing.map(|one| {
        format!("{} {} was planted for {} as {}, and is not parked", one.kind, one.name, one.system, one.code)
    }));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planted(id: &str, code: &str) -> Planted {
        Planted {
            kind: "order".to_owned(),
            id: id.to_owned(),
            name: format!("#{id}"),
            system: "erp".to_owned(),
            code: code.to_owned(),
        }
    }

    fn parked(id: &str, code: &str) -> Parked {
        Parked {
            kind: "order".to_owned(),
            id: id.to_owned(),
            name: format!("#{id}"),
            system: "erp".to_owned(),
            code: code.to_owned(),
            ..Parked::default()
        }
    }

    #[test]
    fn what_was_planted_and_nothing_else_is_as_it_should_be() {
        assert_eq!(differences(&[planted("1", "totals")], &[parked("1", "totals")]), [""; 0]);
    }

    #[test]
    fn a_wrong_code_a_good_record_and_one_that_is_missing_are_told_apart() {
        let planted = [planted("1", "totals"), planted("2", "unmapped")];
        let parked = [parked("1", "rejected"), parked("3", "totals")];
        let told = differences(&planted, &parked).join("\n");
        for part in ["not as totals", "#3 is parked", "#2 was planted"] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}
