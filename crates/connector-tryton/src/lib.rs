//! connector-tryton
