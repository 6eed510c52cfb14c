//! Every document that is sent against Shopify's whole schema.

use std::{collections::BTreeSet, fs};

use apollo_compiler::{ExecutableDocument, Schema, validation::Valid};
use connector_shopify::DOCUMENTS;

use crate::shared::shared;

pub(crate) fn schema() -> Option<Valid<Schema>> {
    let path = shared(&format!("shopify/admin-{}.graphql", connector_shopify::API_VERSION))?;
    let mut text = fs::read_to_string(&path).unwrap();
    // Part of GraphQL itself since September 2025, and so not defined in the schema's text.
    text.push_str("directive @oneOf on INPUT_OBJECT\n");
    Some(Schema::parse_and_validate(text, &path).unwrap_or_else(|errors| panic!("{}", errors.errors)))
}

#[test]
fn every_document_is_valid_in_the_schema_of_the_version_it_is_sent_to() {
    let Some(schema) = schema() else { return };
    for document in DOCUMENTS {
        let parsed = ExecutableDocument::parse_and_validate(&schema, document.text, document.name);
        let parsed = parsed.unwrap_or_else(|errors| panic!("{}: {}", document.name, errors.errors));
        let operation = parsed.operations.get(Some(document.name));
        assert!(operation.is_ok(), "{} is not the name of its operation", document.name);
    }
}

#[test]
fn every_file_is_part_of_a_document_that_is_sent() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/graphql");
    let unused: BTreeSet<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| {
            let text = fs::read_to_string(path).unwrap();
            !DOCUMENTS.iter().any(|document| document.text.contains(&text))
        })
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn no_deprecated_field_is_asked_for() {
    let Some(schema) = schema() else { return };
    let mut deprecated = Vec::new();
    for document in DOCUMENTS {
        let parsed = ExecutableDocument::parse_and_validate(&schema, document.text, document.name).unwrap();
        let operation = parsed.operations.get(Some(document.name)).unwrap();
        for field in operation.all_fields(&parsed) {
            if field.definition.directives.has("deprecated") {
                deprecated.push(format!("{}: {}", document.name, field.name));
            }
        }
    }
    assert!(deprecated.is_empty(), "{deprecated:?}");
}
