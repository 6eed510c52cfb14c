//! `search`: Tryton's domains.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::{
    context::Context,
    read,
    schema::{Direction, Field, Kind, Model},
    store::Store,
    taking,
    trouble::{Outcome, Trouble},
    value::{Id, Value},
};

/// The parameters of `search`, parsed.
pub(super) struct Query {
    condition: Condition,
    order: Vec<(Vec<&'static Field>, Direction)>,
    pub(super) offset: usize,
    pub(super) limit: Option<usize>,
}

enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Clause { path: Vec<&'static Field>, operator: Operator, operand: Operand },
}

enum Operand {
    One(Value),
    Many(Vec<Value>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    In,
    NotIn,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like { fold: bool, not: bool },
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "=" => Self::Equal,
            "!=" => Self::NotEqual,
            "in" => Self::In,
            "not in" => Self::NotIn,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            "like" => Self::Like { fold: false, not: false },
            "not like" => Self::Like { fold: false, not: true },
            "ilike" => Self::Like { fold: true, not: false },
            "not ilike" => Self::Like { fold: true, not: true },
            _ => return None,
        })
    }
}

impl Query {
    /// Parses `domain`, `offset`, `limit` and `order` as a caller gives them.
    pub(super) fn parse(model: &Model, parameters: &[Json]) -> Outcome<Self> {
        let nothing = Json::Null;
        let at = |index: usize| parameters.get(index).unwrap_or(&nothing);
        let number = |index: usize| at(index).as_u64().and_then(|number| usize::try_from(number).ok());
        Ok(Self {
            condition: condition(model, at(0))?,
            offset: number(1).unwrap_or(0),
            limit: number(2),
            order: order(model, at(3))?,
        })
    }

    /// The ids that match, in order.
    pub(super) fn run(&self, store: &Store, context: &Context, model: &Model) -> Vec<Id> {
        let hide = model.hides_inactive() && !context.inactive_too && !names_active(&self.condition);
        let mut found: Vec<Id> = candidates(store, model, &self.condition)
            .unwrap_or_else(|| store.ids(model))
            .into_iter()
            .filter(|id| !(hide && store.value(model, *id, "active") == Value::Bool(false)))
            .filter(|id| holds(store, context, model, *id, &self.condition))
            .collect();
        found.sort_by(|a, b| self.compare(store, context, model, *a, *b));
        found.into_iter().skip(self.offset).take(self.limit.unwrap_or(usize::MAX)).collect()
    }

    fn compare(&self, store: &Store, context: &Context, model: &Model, a: Id, b: Id) -> Ordering {
        for (path, direction) in &self.order {
            let of = |id| values(store, context, model, id, path).into_iter().next().unwrap_or(Value::Null);
            let (a, b) = (of(a), of(b));
            let order = match direction {
                Direction::Ascending => a.order(&b),
                Direction::Descending if a == Value::Null || b == Value::Null => a.order(&b),
                Direction::Descending | Direction::DescendingNullsFirst => b.order(&a),
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        a.cmp(&b)
    }
}

/// A domain that Tryton cannot read is read again and again until Python gives up.
fn endless() -> Trouble {
    Trouble::Exception("maximum recursion depth exceeded in __instancecheck__".to_owned())
}

fn condition(model: &Model, domain: &Json) -> Outcome<Condition> {
    let parts = match domain {
        Json::Array(parts) => parts,
        Json::Null => return Ok(Condition::All(Vec::new())),
        Json::Object(_) => return Err(Trouble::Exception("0".to_owned())),
        _ => return Err(endless()),
    };
    match parts.first() {
        Some(Json::String(word)) if word == "OR" || word == "AND" => {
            let inner = parts[1..].iter().map(|part| condition(model, part)).collect::<Outcome<_>>()?;
            Ok(if word == "OR" { Condition::Any(inner) } else { Condition::All(inner) })
        }
        Some(Json::String(path)) => {
            let (Some(Json::String(operator)), Some(operand)) = (parts.get(1), parts.get(2)) else {
                return Err(endless());
            };
            clause(model, path, operator, operand)
        }
        _ => Ok(Condition::All(parts.iter().map(|part| condition(model, part)).collect::<Outcome<_>>()?)),
    }
}

fn clause(model: &Model, path: &str, operator: &str, operand: &Json) -> Outcome<Condition> {
    let known = Operator::parse(operator);
    if known.is_none() && ["child_of", "parent_of", "where", "not where"].contains(&operator) {
        return Err(Trouble::not_simulated(format!("the operator {operator}")));
    }
    let operator = known.ok_or_else(endless)?;
    let path = resolve(model, path)?;
    let last = path.last().copied().ok_or_else(endless)?;
    let one = |operand: &Json| {
        if matches!(operator, Operator::Like { .. }) {
            return Ok(operand.as_str().map_or(Value::Null, Value::text));
        }
        taking::compared(last, operand)
    };
    let operand = match operator {
        Operator::In | Operator::NotIn => {
            let Json::Array(all) = operand else { return Err(Trouble::not_iterable(operand)) };
            Operand::Many(all.iter().map(one).collect::<Outcome<_>>()?)
        }
        _ => Operand::One(one(operand)?),
    };
    Ok(Condition::Clause { path, operator, operand })
}

/// The fields along a dotted path.
fn resolve(model: &Model, path: &str) -> Outcome<Vec<&'static Field>> {
    let mut fields = Vec::new();
    let mut here = super::schema::known(model.name);
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        let field = here.field(name)?;
        fields.push(field);
        if names.peek().is_some() {
            here = read::target(field).ok_or_else(|| Trouble::key(name))?;
        }
    }
    Ok(fields)
}

fn order(model: &Model, given: &Json) -> Outcome<Vec<(Vec<&'static Field>, Direction)>> {
    let Json::Array(given) = given else {
        return Ok(model.order.iter().map(|(name, direction)| (vec![model.known(name)], *direction)).collect());
    };
    given
        .iter()
        .map(|part| {
            let name = part.get(0).and_then(Json::as_str).unwrap_or_default();
            let direction = match part.get(1).and_then(Json::as_str) {
                None => Direction::Ascending,
                Some(word) if word.eq_ignore_ascii_case("asc") => Direction::Ascending,
                Some(word) if word.eq_ignore_ascii_case("desc") => Direction::Descending,
                Some(word) if word.eq_ignore_ascii_case("desc nulls first") => Direction::DescendingNullsFirst,
                Some(word) => return Err(Trouble::not_simulated(format!("the order {word}"))),
            };
            Ok((resolve(model, name)?, direction))
        })
        .collect()
}

/// Every value at the end of a path.
fn values(store: &Store, context: &Context, model: &Model, id: Id, path: &[&'static Field]) -> Vec<Value> {
    let Some((first, rest)) = path.split_first() else { return Vec::new() };
    let value = read::value(store, context, model, id, first);
    let related = match (&value, rest.is_empty()) {
        (Value::Ids(ids), true) => return ids.iter().map(|id| Value::Integer(*id)).collect(),
        (_, true) => return vec![value],
        (Value::Integer(id), false) => vec![*id],
        (Value::Ids(ids), false) => ids.clone(),
        _ => return Vec::new(),
    };
    let Some(target) = read::target(first) else { return Vec::new() };
    related.into_iter().flat_map(|id| values(store, context, target, id, rest)).collect()
}

fn holds(store: &Store, context: &Context, model: &Model, id: Id, condition: &Condition) -> bool {
    match condition {
        Condition::All(all) => all.iter().all(|part| holds(store, context, model, id, part)),
        Condition::Any(any) => any.iter().any(|part| holds(store, context, model, id, part)),
        Condition::Clause { path, operator, operand } => {
            let mut values = values(store, context, model, id, path);
            if values.is_empty() {
                values.push(Value::Null);
            }
            match (operator, operand) {
                (Operator::NotEqual, Operand::One(operand)) => values.iter().all(|value| !value.same(operand)),
                (Operator::NotIn, Operand::Many(many)) => {
                    values.iter().all(|value| many.iter().all(|operand| !value.same(operand)))
                }
                (_, Operand::Many(many)) => values.iter().any(|value| many.iter().any(|other| value.same(other))),
                (operator, Operand::One(operand)) => values.iter().any(|value| matches(*operator, value, operand)),
            }
        }
    }
}

fn matches(operator: Operator, value: &Value, operand: &Value) -> bool {
    let known = *value != Value::Null && *operand != Value::Null;
    let order = value.order(operand);
    match operator {
        Operator::Equal | Operator::In => value.same(operand),
        Operator::NotEqual | Operator::NotIn => !value.same(operand),
        Operator::Less => known && order == Ordering::Less,
        Operator::LessOrEqual => known && order != Ordering::Greater,
        Operator::Greater => known && order == Ordering::Greater,
        Operator::GreaterOrEqual => known && order != Ordering::Less,
        Operator::Like { fold, not } => match (value.as_text(), operand.as_text()) {
            (Some(value), Some(pattern)) => like(value, pattern, fold) != not,
            _ => false,
        },
    }
}

/// SQL's `LIKE`: `%` is any text, `_` one character.
fn like(text: &str, pattern: &str, fold: bool) -> bool {
    let chars = |text: &str| if fold { text.to_lowercase() } else { text.to_owned() }.chars().collect::<Vec<_>>();
    let (text, pattern) = (chars(text), chars(pattern));
    // `reach[i]`: whether the pattern so far matches the first i characters.
    let mut reach = vec![false; text.len() + 1];
    reach[0] = true;
    for part in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match part {
                '%' => reach[at] || (at > 0 && next[at - 1]),
                '_' => at > 0 && reach[at - 1],
                letter => at > 0 && reach[at - 1] && text[at - 1] == letter,
            };
        }
        reach = next;
    }
    reach[text.len()]
}

fn names_active(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(names_active),
        Condition::Clause { path, .. } => path.len() == 1 && path[0].name == "active",
    }
}

/// A small superset of what matches, where an index gives one.
fn candidates(store: &Store, model: &Model, condition: &Condition) -> Option<Vec<Id>> {
    match condition {
        Condition::All(parts) => parts.iter().find_map(|part| candidates(store, model, part)),
        Condition::Any(_) => None,
        Condition::Clause { path, operator, operand } => {
            let [field] = path.as_slice() else { return None };
            let operands = match (operator, operand) {
                (Operator::Equal, Operand::One(operand)) => std::slice::from_ref(operand),
                (Operator::In, Operand::Many(operands)) => operands,
                _ => return None,
            };
            let mut found = Vec::new();
            for operand in operands {
                found.extend(match (field.kind, operand) {
                    (_, Value::Text(text)) if field.indexed => store.with_text(model.name, field.name, text),
                    (Kind::Many2One(_), Value::Integer(id)) => store.pointing_to(model.name, field.name, *id),
                    (Kind::Integer, Value::Integer(id)) if field.name == "id" => {
                        store.get(model, *id).map(|_| *id).into_iter().collect()
                    }
                    _ => return None,
                });
            }
            found.sort_unstable();
            found.dedup();
            Some(found)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn a_pattern_matches_as_in_sql() {
        assert!(like("jane@example.com", "%@example.com", false));
        assert!(like("Jane", "j_n%", true));
        assert!(!like("Jane", "j%", false));
        assert!(!like("Jane", "Jan", false));
    }
}
