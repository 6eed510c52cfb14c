//! Search, whose index lags behind the records.
//!
//! Search guide (developers.hubspot.com/docs/api-reference/2026-03/crm/search-the-crm): at most 200 a page, 10,000 in
//! all, a body of at most 3,000 characters, five filter groups (the OpenAPI document says six) of up to six filters, 18
//! in all; "it may take a few moments for newly created or updated CRM objects to appear in search results". "Values in
//! filters are case-insensitive" but of enumerations; with `IN` and `NOT_IN` on a text "the searched values must be
//! lowercase". The words of these refusals are made up.

use http::StatusCode;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{
    answers::Refusal,
    batch::Answer,
    body,
    hub::Hub,
    property::DataType,
    record::{Kind, Record},
};
use crate::kit::now_ms;

const LONGEST_PAGE: usize = 200;
const MOST_RESULTS: usize = 10_000;
const MOST_GROUPS: usize = 5;
const MOST_FILTERS_OF_A_GROUP: usize = 6;
const MOST_FILTERS: usize = 18;
const LONGEST_BODY_CHARS: usize = 3_000;
const OPERATORS: &[&str] = &[
    "BETWEEN",
    "CONTAINS_TOKEN",
    "EQ",
    "GT",
    "GTE",
    "HAS_PROPERTY",
    "IN",
    "LT",
    "LTE",
    "NEQ",
    "NOT_CONTAINS_TOKEN",
    "NOT_HAS_PROPERTY",
    "NOT_IN",
];

struct Filter {
    property: String,
    data_type: DataType,
    operator: String,
    value: String,
    high_value: String,
    values: Vec<String>,
}

/// `POST /crm/objects/2026-03/{type}/search`
pub(super) fn search(hub: &Hub, kind: Kind, bytes: &[u8]) -> Result<Answer, Refusal> {
    let chars = String::from_utf8_lossy(bytes).chars().count();
    if chars > LONGEST_BODY_CHARS {
        return Err(Refusal::validation(format!("The request has {chars} characters, more than {LONGEST_BODY_CHARS}")));
    }
    let value = &body::parse(bytes)?;
    let object = body::object(value, &["after", "filterGroups", "limit", "properties", "sorts"])?;
    let properties = body::texts(object, "properties")?;
    let sorts = body::texts(object, "sorts")?;
    let query = body::text(object, "query")?.unwrap_or_default().to_lowercase();
    let limit = body::integer(object, "limit")?.and_then(|limit| usize::try_from(limit).ok()).unwrap_or_default();
    if !(1..=LONGEST_PAGE).contains(&limit) {
        return Err(Refusal::validation(format!("limit must be between 1 and {LONGEST_PAGE}")));
    }
    let after = body::text(object, "after")?.unwrap_or_default();
    let offset: usize = match after.as_str() {
        "" => 0,
        text => text.parse().map_err(|_| Refusal::validation(format!("after {text} is not a paging cursor")))?,
    };
    if offset + limit > MOST_RESULTS {
        return Err(Refusal::validation(format!("Paging ends at {MOST_RESULTS} results")));
    }
    let account = hub.account();
    let groups = body::list(object, "filterGroups")?;
    if groups.len() > MOST_GROUPS {
        return Err(Refusal::validation(format!("Too many filter groups: at most {MOST_GROUPS}")));
    }
    if sorts.len() > 1 {
        return Err(Refusal::validation("Only one sorting rule can be applied"));
    }
    let groups: Vec<Vec<Filter>> = groups
        .iter()
        .map(|group| {
            let filters = body::list(body::object(group, &["filters"])?, "filters")?;
            filters
                .iter()
                .map(|value| {
                    let object = body::object(value, &["operator", "propertyName"])?;
                    filter(object, |name| account.table(kind).property(name).map(|property| property.data_type))
                })
                .collect()
        })
        .collect::<Result<_, Refusal>>()?;
    let filters = groups.iter().map(Vec::len).sum::<usize>();
    if filters > MOST_FILTERS || groups.iter().any(|group| group.len() > MOST_FILTERS_OF_A_GROUP) {
        return Err(Refusal::validation(format!(
            "Too many filters: at most {MOST_FILTERS_OF_A_GROUP} a group and {MOST_FILTERS} in all"
        )));
    }
    let as_of = now_ms() - i64::try_from(hub.settings.search_lag.as_millis()).unwrap_or(i64::MAX);
    let shown = |record: &Record, name: &str| record.shown(kind, name, as_of).unwrap_or_default();
    let mut found: Vec<&Record> = account
        .table(kind)
        .records
        .values()
        .filter(|record| record.archived_ms.is_none() && record.created_ms <= as_of)
        .filter(|record| {
            groups.is_empty()
                || groups.iter().any(|group| group.iter().all(|filter| filter.passes(&shown(record, &filter.property))))
        })
        .filter(|record| {
            let names = kind.returned_by_default().iter().chain(["hs_order_name", "phone"].iter());
            query.is_empty() || names.into_iter().any(|name| shown(record, name).to_lowercase().contains(&query))
        })
        .collect();
    if let Some(sort) = sorts.first() {
        let (name, down) = sort.strip_prefix('-').map_or((sort.as_str(), false), |name| (name, true));
        found.sort_by_key(|record| shown(record, name));
        if down {
            found.reverse();
        }
    }
    let total = found.len();
    let page: Vec<Value> = found
        .into_iter()
        .skip(offset)
        .take(limit)
        .map(|record| hub.show(&account, kind, record, &properties, &[]))
        .collect();
    let mut answer = json!({"total": total, "results": page});
    if offset + limit < total {
        answer["paging"] = json!({"next": {"after": (offset + limit).to_string()}});
    }
    Ok((StatusCode::OK, Some(answer)))
}

fn filter(object: &Map<String, Value>, data_type: impl Fn(&str) -> Option<DataType>) -> Result<Filter, Refusal> {
    let property = body::required_text(object, "propertyName")?;
    let data_type = data_type(&property).ok_or_else(|| {
        Refusal::validation(format!("There was a problem with the request: property {property} does not exist"))
    })?;
    Ok(Filter {
        property,
        data_type,
        operator: body::word(object, "operator", OPERATORS)?.unwrap_or_default(),
        value: body::text(object, "value")?.unwrap_or_default(),
        high_value: body::text(object, "highValue")?.unwrap_or_default(),
        values: body::texts(object, "values")?,
    })
}

impl Filter {
    fn passes(&self, shown: &str) -> bool {
        let has = !shown.is_empty();
        let exact = self.data_type == DataType::Enumeration;
        let equals = |other: &str| match self.is_ordered() {
            true => self.rank(shown) == self.rank(other),
            false if exact => shown == other,
            false => shown.eq_ignore_ascii_case(other),
        };
        let listed = || match self.is_ordered() || exact {
            true => self.values.iter().any(|value| equals(value)),
            false => self.values.contains(&shown.to_lowercase()),
        };
        let token = self.value.trim_matches('*');
        let contains = if exact { shown.contains(token) } else { shown.to_lowercase().contains(&token.to_lowercase()) };
        match self.operator.as_str() {
            "HAS_PROPERTY" => has,
            "NOT_HAS_PROPERTY" => !has,
            "EQ" => has && equals(&self.value),
            "NEQ" => !equals(&self.value),
            "IN" => has && listed(),
            "NOT_IN" => !listed(),
            "CONTAINS_TOKEN" => has && contains,
            "NOT_CONTAINS_TOKEN" => !contains,
            "GT" => has && self.rank(shown) > self.rank(&self.value),
            "GTE" => has && self.rank(shown) >= self.rank(&self.value),
            "LT" => has && self.rank(shown) < self.rank(&self.value),
            "LTE" => has && self.rank(shown) <= self.rank(&self.value),
            _ => has && self.rank(shown) >= self.rank(&self.value) && self.rank(shown) <= self.rank(&self.high_value),
        }
    }

    fn is_ordered(&self) -> bool {
        matches!(self.data_type, DataType::Number | DataType::Date | DataType::DateTime)
    }

    /// Numbers by size, times by instant (both are given in milliseconds or ISO 8601), texts by their letters.
    fn rank(&self, text: &str) -> (Option<Decimal>, String) {
        let number = match self.data_type {
            DataType::Number => Decimal::from_str_exact(text).ok(),
            DataType::Date | DataType::DateTime => {
                let ms = text.parse().ok().or_else(|| {
                    let time = text.parse().or_else(|_| format!("{text}T00:00:00Z").parse::<Timestamp>());
                    time.ok().map(|time: Timestamp| time.as_millisecond())
                });
                ms.map(|ms: i64| Decimal::from(ms))
            }
            DataType::Text
            | DataType::Email
            | DataType::Emails
            | DataType::Bool
            | DataType::Enumeration
            | DataType::PhoneNumber => None,
        };
        let text = if number.is_some() { String::new() } else { text.to_lowercase() };
        (number, text)
    }
}
