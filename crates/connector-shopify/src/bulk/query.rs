//! What has to be run in the shop.

use jiff::Timestamp;
use waybill_domain::Kind;

use crate::client::{
    API_VERSION,
    document::{BULK_CUSTOMERS, BULK_ORDERS, BULK_PRODUCTS},
};

/// The bulk query: all orders with everything that a read by API asks for.
///
/// Of bulk queries Shopify refuses pages, `nodes`, more than five connections, connections nested more than two deep,
/// and one within a list. Fragments are written out: no document of Shopify's shows a bulk query with one.
pub fn query() -> String {
    written_out(BULK_ORDERS.text)
}

/// The bulk query of the orders, customers or products that changed at `since` or later; `None` for other kinds.
pub(super) fn query_since(kind: Kind, since: Timestamp) -> Option<String> {
    let (document, connection) = match kind {
        Kind::Order => (BULK_ORDERS, "orders"),
        Kind::Customer => (BULK_CUSTOMERS, "customers"),
        Kind::Product => (BULK_PRODUCTS, "products"),
        _ => return None,
    };
    // Bulk queries take no variables: the time is written into the text.
    let since = since.strftime("%Y-%m-%dT%H:%M:%SZ");
    let from = format!("  {connection} {{\n");
    let to = format!("  {connection}(query: \"updated_at:>='{since}'\") {{\n");
    Some(written_out(document.text).replacen(&from, &to, 1))
}

/// The query within the mutation that runs it, as a text to be pasted and sent, and what to send after it.
pub fn request() -> String {
    let query: String = query().lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "# For Shopify's Admin API {API_VERSION}. Objects are grouped, so that each order's parts stand below it.\n\
         mutation {{\n  bulkOperationRunQuery(\n    groupObjects: true\n    query: \"\"\"\n{query}    \"\"\"\n  ) {{\n    \
         bulkOperation {{\n      id\n      status\n    }}\n    userErrors {{\n      code\n      field\n      message\n    \
         }}\n  }}\n}}\n\
         # Then, with the id that it answers, until the status is COMPLETED; the file is what the url leads to:\n\
         # query {{ bulkOperation(id: \"gid://shopify/BulkOperation/…\") {{ status errorCode objectCount url }} }}\n"
    )
}

/// A document's operation with each fragment in the place of its name. The files have a fragment's head, its end and
/// its name on lines of their own.
fn written_out(document: &str) -> String {
    let (operation, fragments) = match document.find("\nfragment ") {
        Some(at) => document.split_at(at + 1),
        None => (document, ""),
    };
    let mut text = String::new();
    for line in operation.lines() {
        write(line, 0, fragments, &mut text);
    }
    text
}

fn write(line: &str, deeper: usize, fragments: &str, text: &mut String) {
    let indent = deeper + line.len() - line.trim_start().len();
    let name = line.trim().strip_prefix("...").filter(|name| !name.starts_with(' '));
    let body = name.and_then(|name| {
        let (_, after) = fragments.split_once(&format!("fragment {name} on "))?;
        let (_, body) = after.split_once("{\n")?;
        body.split_once("\n}\n").map(|(body, _)| body)
    });
    match body {
        // A fragment's own fields stand two deep in its file.
        Some(body) => body.lines().for_each(|line| write(line, indent - 2, fragments, text)),
        None => {
            text.extend(std::iter::repeat_n(' ', indent));
            text.push_str(line.trim());
            text.push('\n');
        }
    }
}
