//! The lists of a record: `One2Many.set` and `Many2Many.set`.

use serde_json::{Map, Value as Json};

use super::{
    context::Context,
    python,
    schema::{self, Field, Kind, Model},
    store::Store,
    taking,
    trouble::{Outcome, Trouble},
    value::{Id, Value},
    write,
};

/// Runs a list of commands on a field.
pub(super) fn set_list(
    store: &mut Store,
    context: &Context,
    model: &'static Model,
    id: Id,
    field: &'static Field,
    given: &Json,
) -> Outcome<()> {
    let commands = match given {
        Json::Null => return Ok(()),
        Json::Array(commands) => commands,
        Json::String(text) => return text.chars().next().map_or(Ok(()), |first| Err(Trouble::key(&first.to_string()))),
        Json::Object(object) => {
            let first = object.keys().next().and_then(|key| key.chars().next());
            return first.map_or(Ok(()), |first| Err(Trouble::key(&first.to_string())));
        }
        other => return Err(Trouble::not_iterable(other)),
    };
    let mut batches = Batches::default();
    for command in commands {
        batches.add(field, command)?;
    }
    match field.kind {
        Kind::One2Many(target, via) => batches.run(store, context, schema::known(target), via, id),
        _ => batches.link(store, model, id, field),
    }
}

/// The commands of a list, sorted as Tryton runs them: delete, write, create.
#[derive(Default)]
struct Batches<'a> {
    delete: Vec<Id>,
    write: Vec<(Vec<Id>, &'a Json)>,
    create: Vec<&'a Map<String, Json>>,
    add: Vec<Id>,
    remove: Vec<Id>,
}

impl<'a> Batches<'a> {
    fn add(&mut self, field: &Field, command: &'a Json) -> Outcome<()> {
        let parts = match command {
            Json::Array(parts) => parts,
            Json::String(text) => {
                let first = text.chars().next().map(String::from).unwrap_or_default();
                return Err(Trouble::key(&first));
            }
            Json::Object(_) => return Err(Trouble::Exception("0".to_owned())),
            other => {
                let class = python::type_name(other);
                return Err(Trouble::Exception(format!("'{class}' object is not subscriptable")));
            }
        };
        let action = parts.first().ok_or_else(|| Trouble::Exception("list index out of range".to_owned()))?;
        let action = action.as_str().ok_or_else(|| Trouble::Exception(action.to_string()))?;
        let argument = parts.get(1).ok_or_else(|| missing(field, action));
        match action {
            "create" if matches!(field.kind, Kind::One2Many(..)) => {
                let list = argument?.as_array().ok_or_else(|| Trouble::not_simulated("a create without a list"))?;
                for values in list {
                    self.create.push(values.as_object().ok_or_else(|| Trouble::attribute(values, "copy"))?);
                }
            }
            "write" if matches!(field.kind, Kind::One2Many(..)) => {
                let values = parts.get(2).ok_or_else(|| Trouble::not_simulated("a write without values"))?;
                self.write.push((ids(argument?)?, values));
            }
            "delete" if matches!(field.kind, Kind::One2Many(..)) => self.delete.extend(ids(argument?)?),
            "add" => self.add.extend(ids(argument?)?),
            "remove" => self.remove.extend(ids(argument?)?),
            "create" | "write" | "delete" | "copy" => {
                return Err(Trouble::not_simulated(format!("the command {action} of {}", field.name)));
            }
            other => return Err(Trouble::key(other)),
        }
        Ok(())
    }

    fn run(
        self,
        store: &mut Store,
        context: &Context,
        target: &'static Model,
        via: &'static str,
        id: Id,
    ) -> Outcome<()> {
        if !self.add.is_empty() || !self.remove.is_empty() {
            return Err(Trouble::not_simulated(format!("moving {} between records", target.name)));
        }
        write::delete(store, target, &self.delete)?;
        for (ids, values) in self.write {
            write::write(store, context, target, &ids, values)?;
        }
        let parent = Json::from(id);
        let create: Vec<_> = self
            .create
            .into_iter()
            .map(|values| {
                let mut values = values.clone();
                values.insert(via.to_owned(), parent.clone());
                values
            })
            .collect();
        write::create_all(store, context, target, &create.iter().collect::<Vec<_>>()).map(drop)
    }

    fn link(self, store: &mut Store, model: &'static Model, id: Id, field: &'static Field) -> Outcome<()> {
        let mut linked = match store.value(model, id, field.name) {
            Value::Ids(ids) => ids,
            _ => Vec::new(),
        };
        linked.retain(|id| !self.remove.contains(id));
        for added in self.add {
            if !linked.contains(&added) {
                linked.push(added);
            }
        }
        linked.sort_unstable();
        store.set(model, id, field.name, Value::Ids(linked));
        Ok(())
    }
}

fn missing(field: &Field, action: &str) -> Trouble {
    match (field.kind, action) {
        (Kind::One2Many(..), "create") => Trouble::Exception(
            "One2Many.set.<locals>.create() missing 1 required positional argument: 'vlist'".to_owned(),
        ),
        (_, action) => Trouble::not_simulated(format!("the command {action} without its argument")),
    }
}

fn ids(given: &Json) -> Outcome<Vec<Id>> {
    let Json::Array(ids) = given else { return Err(Trouble::not_iterable(given)) };
    ids.iter().map(taking::integer).collect()
}
