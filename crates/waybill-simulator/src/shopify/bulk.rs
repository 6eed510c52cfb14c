//! Bulk operations: their lives, and the files that they leave.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::clock::Moment;

/// Why an operation ends without its whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkFailure {
    /// A scope is missing.
    AccessDenied,
    /// Shopify's own trouble; a part of the file is there.
    InternalServerError,
    /// It took too long; a part of the file is there.
    Timeout,
}

impl BulkFailure {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::AccessDenied => "ACCESS_DENIED",
            Self::InternalServerError => "INTERNAL_SERVER_ERROR",
            Self::Timeout => "TIMEOUT",
        }
    }
}

/// A bulk query that was taken.
#[derive(Debug, Clone)]
pub(crate) struct BulkOperation {
    pub(crate) id: u64,
    pub(crate) query: String,
    pub(crate) created_at: Moment,
    pub(crate) created_ms: i64,
    pub(crate) cancelled: bool,
    pub(crate) failure: Option<BulkFailure>,
    pub(crate) file: File,
}

/// What a bulk query found, as a file of JSON lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct File {
    pub(crate) text: Bytes,
    pub(crate) objects: usize,
    pub(crate) roots: usize,
}

/// How an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Created,
    Running,
    Completed,
    Failed,
    Canceled,
    Expired,
}

impl Status {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
            Self::Expired => "EXPIRED",
        }
    }

    /// Whether it counts against how many may run at once.
    pub(crate) const fn goes_on(self) -> bool {
        matches!(self, Self::Created | Self::Running)
    }
}

impl BulkOperation {
    /// How it stands, if it takes so long and its file is kept so long.
    pub(crate) fn status(&self, now_ms: i64, takes_ms: i64, kept_ms: i64) -> Status {
        let age = now_ms - self.created_ms;
        match (self.cancelled, self.failure) {
            (true, _) => Status::Canceled,
            _ if age < takes_ms / 4 => Status::Created,
            _ if age < takes_ms => Status::Running,
            (_, Some(_)) => Status::Failed,
            _ if age > takes_ms + kept_ms => Status::Expired,
            _ => Status::Completed,
        }
    }

    /// The name under which its file is served.
    pub(crate) fn file_name(&self) -> String {
        format!("{}.jsonl", self.id)
    }

    /// What is served: all, or of a failed one the first half of its objects.
    pub(crate) fn served(&self) -> Bytes {
        match self.failure {
            None => self.file.text.clone(),
            Some(BulkFailure::AccessDenied) => Bytes::new(),
            Some(_) => {
                let ends = self.file.text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
                self.file.text.slice(..ends.take(self.file.objects / 2).last().unwrap_or_default())
            }
        }
    }
}

impl File {
    /// The file of an answer's data: a line for each node, those of connections below it naming it by `__parentId`.
    /// Grouped, they stand right below their parent; else all of a level stand together, as nothing is promised then.
    ///
    /// Source: shopify.dev, "Perform bulk operations with the GraphQL Admin API", on the JSONL file and `groupObjects`.
    pub(crate) fn of(data: &Value, grouped: bool) -> Self {
        let mut lines = Vec::new();
        let mut roots = Vec::new();
        if let Some(data) = data.as_object() {
            without_connections(data, &mut roots);
        }
        for node in &roots {
            write(node, None, 0, &mut lines);
        }
        if !grouped {
            lines.sort_by_key(|(depth, _)| *depth);
        }
        let text: String = lines.iter().map(|(_, line)| format!("{line}\n")).collect();
        Self { text: Bytes::from(text), objects: lines.len(), roots: roots.len() }
    }
}

fn write(node: &Map<String, Value>, parent: Option<&Value>, depth: usize, lines: &mut Vec<(usize, Value)>) {
    let mut below = Vec::new();
    let mut own = without_connections(node, &mut below);
    if let Some(parent) = parent {
        own.insert("__parentId".to_owned(), parent.clone());
    }
    lines.push((depth, Value::Object(own)));
    let id = node.get("id").cloned().unwrap_or(json!(null));
    for child in &below {
        write(child, Some(&id), depth + 1, lines);
    }
}

/// An object without the connections in it, whose nodes are taken out.
fn without_connections(object: &Map<String, Value>, nodes: &mut Vec<Map<String, Value>>) -> Map<String, Value> {
    let mut own = Map::new();
    for (name, value) in object {
        let edges = value.get("edges").and_then(Value::as_array);
        match (edges, value) {
            (Some(edges), _) => nodes.extend(edges.iter().filter_map(|edge| edge["node"].as_object().cloned())),
            (None, Value::Object(inner)) => {
                own.insert(name.clone(), Value::Object(without_connections(inner, nodes)));
            }
            (None, value) => {
                own.insert(name.clone(), value.clone());
            }
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::File;

    fn lines(grouped: bool) -> Vec<String> {
        let line = |id: &str| json!({"node": {"id": id}});
        let order = |id: &str, lines: &[&str]| json!({"node": {"id": id, "lines": {"edges": lines.iter().map(|id| line(id)).collect::<Vec<_>>()}}});
        let data = json!({"orders": {"edges": [order("A", &["a1", "a2"]), order("B", &["b1"])]}});
        let file = File::of(&data, grouped);
        assert_eq!((file.objects, file.roots), (5, 2));
        String::from_utf8(file.text.to_vec()).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn parts_name_their_parent_and_stand_below_it_if_they_are_grouped() {
        assert_eq!(
            lines(true),
            [
                r#"{"id":"A"}"#,
                r#"{"__parentId":"A","id":"a1"}"#,
                r#"{"__parentId":"A","id":"a2"}"#,
                r#"{"id":"B"}"#,
                r#"{"__parentId":"B","id":"b1"}"#,
            ]
        );
        assert_eq!(lines(false)[..2], [r#"{"id":"A"}"#, r#"{"id":"B"}"#]);
    }
}
