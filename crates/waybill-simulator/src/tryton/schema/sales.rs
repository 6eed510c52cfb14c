//! `trytond_sale`, and the invoices and shipments that it makes.

use super::{
    Direction::{Ascending, Descending, DescendingNullsFirst},
    Kind::{Char, Date, Float, Integer, Many2Many, Many2One, Numeric, One2Many, Reference, Selection, Text},
    Model, active, field, id, rec_name,
};

const INVOICE_METHODS: &[&str] = &["manual", "order", "fulfillment"];
const SHIPMENT_METHODS: &[&str] = &["manual", "order", "invoice"];
const INVOICE_STATES: &[&str] = &["none", "pending", "awaiting payment", "partially paid", "paid", "exception"];
const SHIPMENT_STATES: &[&str] = &["none", "waiting", "partially shipped", "sent", "exception"];
const SALE_STATES: &[&str] = &["draft", "quotation", "confirmed", "processing", "done", "cancelled"];

pub(super) static SALE: Model = Model {
    name: "sale.sale",
    label: "Sale",
    fields: &[
        field("comment", "Comment", Text),
        field("company", "Company", Many2One("company.company")).required(),
        field("contact", "Contact", Many2One("party.contact_mechanism")),
        field("currency", "Currency", Many2One("currency.currency")).required(),
        field("description", "Description", Char),
        id(),
        field("invoice_address", "Invoice Address", Many2One("party.address")),
        field("invoice_method", "Invoice Method", Selection(INVOICE_METHODS)).required(),
        field("invoice_party", "Invoice Party", Many2One("party.party")),
        field("invoice_state", "Invoice State", Selection(INVOICE_STATES)).required().readonly(),
        field("invoices", "Invoices", Many2Many("account.invoice")).readonly().computed(),
        field("lines", "Lines", One2Many("sale.line", "sale")),
        field("number", "Number", Char).readonly(),
        field("origin", "Origin", Reference(&["sale.sale"])),
        field("party", "Party", Many2One("party.party")).required(),
        field("payment_term", "Payment Term", Many2One("account.invoice.payment_term")),
        field("quotation_date", "Quotation Date", Date),
        rec_name(),
        field("reference", "Reference", Char).indexed(),
        field("sale_date", "Sale Date", Date),
        field("shipment_address", "Shipment Address", Many2One("party.address")),
        field("shipment_method", "Shipment Method", Selection(SHIPMENT_METHODS)).required(),
        field("shipment_party", "Shipment Party", Many2One("party.party")),
        field("shipment_returns", "Shipment Returns", Many2Many("stock.shipment.out.return")).readonly().computed(),
        field("shipment_state", "Shipment State", Selection(SHIPMENT_STATES)).required().readonly(),
        field("shipments", "Shipments", Many2Many("stock.shipment.out")).readonly().computed(),
        field("shipping_date", "Shipping Date", Date),
        field("state", "State", Selection(SALE_STATES)).required().readonly(),
        field("tax_amount", "Tax", Numeric(None)).readonly().computed(),
        field("total_amount", "Total", Numeric(None)).readonly().computed(),
        field("untaxed_amount", "Untaxed", Numeric(None)).readonly().computed(),
        field("warehouse", "Warehouse", Many2One("stock.location")),
    ],
    others: &[
        "attachments",
        "confirmed_by",
        "invoices_ignored",
        "invoices_recreated",
        "line_lines",
        "moves",
        "notes",
        "party_lang",
        "quotation_expire",
        "quotation_validity",
        "quoted_by",
        "tax_amount_cache",
        "to_invoice",
        "to_ship",
        "total_amount_cache",
        "untaxed_amount_cache",
    ],
    order: &[("sale_date", DescendingNullsFirst), ("id", Descending)],
    buttons: &["cancel", "confirm", "draft", "process", "quote"],
    writable: true,
};

const LINE_TYPES: &[&str] = &["line", "subtotal", "title", "comment"];

pub(super) static LINE: Model = Model {
    name: "sale.line",
    label: "Sale Line",
    fields: &[
        field("amount", "Amount", Numeric(None)).readonly().computed(),
        field("description", "Description", Text),
        id(),
        field("note", "Note", Text),
        field("product", "Product", Many2One("product.product")),
        field("quantity", "Quantity", Float),
        rec_name(),
        field("sale", "Sale", Many2One("sale.sale")).required(),
        field("sequence", "Sequence", Integer),
        field("taxes", "Taxes", Many2Many("account.tax")),
        field("type", "Type", Selection(LINE_TYPES)).required(),
        field("unit", "Unit", Many2One("product.uom")),
        field("unit_price", "Unit Price", Numeric(Some(4))),
    ],
    others: &[
        "actual_quantity",
        "company",
        "currency",
        "customer",
        "from_location",
        "invoice_lines",
        "invoice_progress",
        "movable",
        "moves",
        "moves_exception",
        "moves_ignored",
        "moves_progress",
        "moves_recreated",
        "product_uom_category",
        "quantity_to_invoice",
        "quantity_to_ship",
        "sale_date",
        "sale_state",
        "shipping_date",
        "summary",
        "to_location",
        "warehouse",
    ],
    order: &[("sale", Descending), ("sequence", Ascending), ("id", Ascending)],
    buttons: &[],
    writable: true,
};

pub(super) static PAYMENT_TERM: Model = Model {
    name: "account.invoice.payment_term",
    label: "Account Invoice Payment Term",
    fields: &[active(), id(), field("name", "Name", Char).required(), rec_name()],
    others: &["description", "lines"],
    order: &[("name", Ascending), ("id", Ascending)],
    buttons: &[],
    writable: false,
};

const ACCOUNT_STATES: &[&str] = &["draft", "validated", "posted", "paid", "cancelled"];

pub(super) static INVOICE: Model = Model {
    name: "account.invoice",
    label: "Invoice",
    fields: &[
        id(),
        field("number", "Number", Char).readonly(),
        field("party", "Party", Many2One("party.party")).required(),
        rec_name(),
        field("state", "State", Selection(ACCOUNT_STATES)).readonly(),
        field("total_amount", "Total", Numeric(None)).readonly(),
        // Tryton finds the way back through the lines.
        field("~sale", "", Many2One("sale.sale")).readonly(),
    ],
    others: &["company", "currency", "description", "invoice_address", "invoice_date", "lines", "reference", "type"],
    order: &[("id", Descending)],
    buttons: &[],
    writable: false,
};

const PARCEL_STATES: &[&str] = &["draft", "waiting", "assigned", "picked", "packed", "shipped", "done", "cancelled"];

pub(super) static SHIPMENT: Model = Model {
    name: "stock.shipment.out",
    label: "Stock Shipment Out",
    fields: &[
        field("customer", "Customer", Many2One("party.party")).required(),
        field("delivery_address", "Delivery Address", Many2One("party.address")).required(),
        id(),
        field("number", "Number", Char).readonly(),
        rec_name(),
        field("reference", "Reference", Char),
        field("state", "State", Selection(PARCEL_STATES)).readonly(),
        field("warehouse", "Warehouse", Many2One("stock.location")).required(),
        field("~moves", "", One2Many("-stock.move", "shipment")).readonly(),
        field("~sale", "", Many2One("sale.sale")).readonly(),
    ],
    others: &[
        "company",
        "customer_location",
        "delay",
        "done_by",
        "effective_date",
        "inventory_moves",
        "moves",
        "origin_planned_date",
        "origins",
        "outgoing_moves",
        "packed_by",
        "partially_assigned",
        "picked_by",
        "planned_date",
        "shipped_by",
        "warehouse_output",
        "warehouse_storage",
    ],
    order: &[("id", Ascending)],
    buttons: &["assign_try", "do", "pack", "pick", "ship", "wait"],
    writable: false,
};

const RETURN_STATES: &[&str] = &["draft", "received", "done", "cancelled"];

pub(super) static SHIPMENT_RETURN: Model = Model {
    name: "stock.shipment.out.return",
    label: "Stock Shipment Out Return",
    fields: &[
        field("contact_address", "Contact Address", Many2One("party.address")),
        field("customer", "Customer", Many2One("party.party")).required(),
        id(),
        field("number", "Number", Char).readonly(),
        rec_name(),
        field("reference", "Reference", Char),
        field("state", "State", Selection(RETURN_STATES)).readonly(),
        field("warehouse", "Warehouse", Many2One("stock.location")).required(),
        field("~moves", "", One2Many("-stock.move", "return")).readonly(),
        field("~sale", "", Many2One("sale.sale")).readonly(),
    ],
    others: &[
        "company",
        "customer_location",
        "delay",
        "done_by",
        "effective_date",
        "incoming_moves",
        "inventory_moves",
        "moves",
        "origin_planned_date",
        "origins",
        "planned_date",
        "received_by",
        "warehouse_input",
        "warehouse_storage",
    ],
    order: &[("id", Ascending)],
    buttons: &["cancel", "do", "draft", "receive"],
    writable: false,
};

/// What a shipment takes along, or a return brings back.
pub(super) static MOVE: Model = Model {
    name: "-stock.move",
    label: "",
    fields: &[
        id(),
        field("product", "", Many2One("product.product")),
        field("quantity", "", Float),
        field("return", "", Many2One("stock.shipment.out.return")),
        field("shipment", "", Many2One("stock.shipment.out")),
    ],
    others: &[],
    order: &[("id", Ascending)],
    buttons: &[],
    writable: false,
};
