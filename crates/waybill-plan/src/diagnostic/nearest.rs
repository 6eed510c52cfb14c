//! What a wrong name may have been meant to be.

/// A longer name than this is not compared letter by letter.
const LONGEST_NAME: usize = 64;

const ANY: &str = "name one that there is";

/// The name that a wrong one may have been meant to be, as a mending.
pub(crate) fn nearest<'a>(wanted: &str, there: impl Iterator<Item = &'a str>) -> String {
    nearest_or(wanted, there, ANY)
}

/// The same; `many` is said where there are too many names to list.
pub(crate) fn nearest_or<'a>(wanted: &str, there: impl Iterator<Item = &'a str>, many: &str) -> String {
    let names: Vec<&str> = there.collect();
    if let Some(name) = close(wanted, names.iter().copied()) {
        return format!("did you mean '{name}'?");
    }
    // A name that was not written to its end.
    let begun: Vec<&str> = names.iter().filter(|name| wanted.len() >= 4 && name.starts_with(wanted)).copied().collect();
    if let [one] = begun[..] {
        return format!("did you mean '{one}'?");
    }
    let alike =
        |name: &&&str| name.len() >= 4 && wanted.len() >= 4 && (name.contains(wanted) || wanted.contains(**name));
    let mut alike: Vec<&str> = names.iter().filter(alike).copied().collect();
    alike.sort_by_key(|name| name.len().abs_diff(wanted.len()));
    match alike[..] {
        [one] => format!("did you mean '{one}'?"),
        [one, other] => format!("did you mean '{one}' or '{other}'?"),
        _ if names.is_empty() && many == ANY => "there is none to name".to_owned(),
        _ if names.is_empty() => many.to_owned(),
        _ if names.len() <= 16 => format!("there are: {}", names.join(", ")),
        _ => many.to_owned(),
    }
}

/// The name that a wrong one is a slip of the pen away from.
pub(crate) fn close<'a>(wanted: &str, there: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if wanted.len() > LONGEST_NAME {
        return None;
    }
    let slips = |name: &str| if name.eq_ignore_ascii_case(wanted) { 0 } else { distance(wanted, name) };
    let most = if wanted.chars().count() <= 4 { 1 } else { 2 };
    let name = there.map(|name| (slips(name), name)).min()?;
    (name.0 <= most && name.0 < wanted.chars().count()).then_some(name.1)
}

/// How many letters have to be added, left out, changed or swapped with the next to make one word of the other.
pub(crate) fn distance(wanted: &str, other: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (wanted.chars().collect(), other.chars().collect());
    if a.len().abs_diff(b.len()) > 2 || a.len() > LONGEST_NAME {
        return usize::MAX;
    }
    let mut rows = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let fewest = changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                    let is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                    if is_swap { fewest.min(rows[i - 2][j - 2] + 1) } else { fewest }
                }
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::{close, distance, nearest};

    #[test]
    fn letters_added_left_out_changed_or_swapped_are_slips() {
        assert_eq!(distance("erb", "erp"), 1);
        assert_eq!(distance("epr", "erp"), 1);
        assert_eq!(distance("shiping", "shipping"), 1);
        assert_eq!(distance("", "ab"), 2);
    }

    #[test]
    fn the_nearest_name_is_told() {
        assert_eq!(nearest("shiping", ["shipping", "shop"].into_iter()), "did you mean 'shipping'?");
        assert_eq!(nearest("PAID", ["paid", "pending"].into_iter()), "did you mean 'paid'?");
        assert_eq!(nearest("total_price", ["total", "subtotal", "name"].into_iter()), "did you mean 'total'?");
        assert_eq!(nearest("x", std::iter::empty()), "there is none to name");
    }

    #[test]
    fn short_names_that_share_no_letters_are_not_near() {
        assert_eq!(close("by", ["to", "at"].into_iter()), None);
        assert_eq!(close("erp", ["crm"].into_iter()), None);
        assert_eq!(close("t", ["to"].into_iter()), None);
        assert_eq!(nearest("erp", ["crm", "shop"].into_iter()), "there are: crm, shop");
    }
}
