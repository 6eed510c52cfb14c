//! What the codes of a plan's problems mean. Stable: a code never gets another meaning.

use waybill_domain::Kind;

use crate::schema;

/// The meaning of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Such as `WB-P003`.
    pub code: &'static str,
    /// One line for a heading.
    pub title: &'static str,
    /// What it means and why it is refused.
    pub meaning: &'static str,
    /// How to mend it.
    pub mend: &'static str,
}

const fn code(code: &'static str, title: &'static str, meaning: &'static str, mend: &'static str) -> Code {
    Code { code, title, meaning, mend }
}

/// Every code, in order.
pub const CODES: &[Code] = &[
    code(
        "WB-P001",
        "A name that cannot be used",
        "Names of stores and systems stand in subjects, tables and keys: 1 to 32 of a-z, 0-9 and -. A flow's name is its own.",
        "Rename it. A store's name never changes once orders have moved: keys in the systems are made of it.",
    ),
    code(
        "WB-P002",
        "An expression that cannot be read",
        "Expressions are Jinja's: names with points, comparisons, and, or, not, filters behind a bar. The caret stands where reading stopped.",
        "Mend the syntax. Texts stand in quotes: order.country == 'AT'.",
    ),
    code(
        "WB-P003",
        "A system that is not there",
        "A key names a system, and there is no [systems.<name>] of that name.",
        "Correct the name, or add the system.",
    ),
    code(
        "WB-P004",
        "A system that cannot do this",
        "The place needs a system of another kind: a shop, a source of stock, prices or parcels, something that tells people.",
        "Name a system whose connector can do it; each connector's README lists what it can.",
    ),
    code(
        "WB-P005",
        "A store without a webhook secret",
        "Shopify signs each webhook. Without the secret none can be told from a forged one, so none would be taken.",
        "Give webhook_secrets = [\"env:NAME\"]; during a rotation, both secrets.",
    ),
    code(
        "WB-P006",
        "Two flows for one thing",
        "Two flows bring the same kind of a store's records to the same system. Which of them a record follows would be chance.",
        "Join the two into one with a wider condition, or give each its own stores.",
    ),
    code(
        "WB-P007",
        "A flow that waits for itself",
        "The systems in `after` wait for each other in a circle, so that no record would ever be written.",
        "Take one of the systems out of `after`.",
    ),
    code(
        "WB-P008",
        "A word that is not one of the choices",
        "The key takes one of a few words.",
        "Write one of the words that the message names.",
    ),
    code(
        "WB-P009",
        "A value of another type",
        "The key takes a text, a number, a list, a table or true or false, and this is another.",
        "Write what the message asks for. Texts stand in quotes, numbers without.",
    ),
    code(
        "WB-P010",
        "A connector that is not there",
        "`connector` names the code for one vendor.",
        "Write one of the connectors that the message names.",
    ),
    code(
        "WB-P011",
        "A setting that the connector has not",
        "What is no key of all systems is a setting of the connector, and this connector has none of this name.",
        "Correct the name; the connector's README lists its settings.",
    ),
    code(
        "WB-P012",
        "Something is missing",
        "A key or a part that has to be there is not.",
        "Add it; the message says what it is.",
    ),
    code(
        "WB-P013",
        "A secret in the plan",
        "The plan is read by many people and kept for ever. Secrets stand there by reference only.",
        "Write env:NAME or file:/path, and change the secret if this file was shared.",
    ),
    code(
        "WB-P014",
        "A budget above the vendor's limit",
        "A budget is your account's own limit. One far above what the vendor publishes would be answered with refusals.",
        "Give the limit that your contract states.",
    ),
    code(
        "WB-P015",
        "Records that the system cannot take",
        "The connector has no way to bring records of this kind into the system.",
        "Name another system, or drop the flow.",
    ),
    code(
        "WB-P016",
        "A field that the system has not",
        "The map names a field that the vendor's records do not have, and it takes no fields of your own making.",
        "Correct the name; the connector's README lists the fields.",
    ),
    code("WB-P017", "A field that the system requires", "The vendor refuses records without this field.", "Map it."),
    code(
        "WB-P018",
        "A store or channel that is not there",
        "A key names a store or a channel that no [stores.<name>] has.",
        "Correct the name, or add the store.",
    ),
    code(
        "WB-P019",
        "A key that is not there",
        "The plan knows no such key in this place. It is refused, so that a slip of the pen does not silently change nothing.",
        "Correct or remove it. The example plan shows every key.",
    ),
    code(
        "WB-P020",
        "Not TOML",
        "The file cannot be read as TOML; nothing else could be checked.",
        "Mend it at the caret. Texts stand in quotes, tables are [name], lists are [a, b].",
    ),
    code(
        "WB-P021",
        "A name that an expression cannot see",
        "Expressions see the record under its kind (order, customer, shipment, refund, stock_level, price), store, channel, totals, and within lines `line` and `tax`.",
        "Correct the name; the message suggests the nearest.",
    ),
    code(
        "WB-P022",
        "Types that do not fit",
        "An amount is compared with what is no exact amount, a text is reckoned with, a list has no such field. What would be inexact is refused: money stays exact.",
        "Write amounts as decimal(\"12.50\"), reckon with plus, minus, times and round.",
    ),
    code(
        "WB-P023",
        "A result of the wrong type",
        "A condition has to give yes or no, a field takes one value.",
        "Compare with something, or name one field.",
    ),
    code(
        "WB-P024",
        "What never matches",
        "The condition can hold for no record: it compares with a word that the field never has, or is false by itself.",
        "Correct the word, or drop the flow.",
    ),
    code(
        "WB-P025",
        "Two owners of one thing",
        "Two places of the plan give one record, field, shop or location different owners, sources or values.",
        "Make both places say the same.",
    ),
    code(
        "WB-P026",
        "Records that go round in a circle",
        "One flow brings records from a system to another, and a second one back. Each write would be the other's next change.",
        "Keep the flow that comes from the owner; give single fields another owner under [kinds].",
    ),
    code(
        "WB-P027",
        "A location that is not there, or has no name",
        "A location is not under [locations], or a system that it concerns has no name for it.",
        "Add the location, or the system's name of it.",
    ),
    code(
        "WB-P028",
        "Shares of one account above 1",
        "Several users of one account together may use its limit once.",
        "Give shares that come to 1 at most.",
    ),
    code(
        "WB-P029",
        "A secret that does not resolve",
        "The environment variable or file is not there for whoever checks. Where services start, and with --resolve, the plan is refused for it; elsewhere it is a warning.",
        "Set it where the services run.",
    ),
    code(
        "WB-P030",
        "A number out of its limits",
        "The number is too small or too large for what it says, or is none of that sort.",
        "Give one within the limits that the message states.",
    ),
    code(
        "WB-P031",
        "A time that is none",
        "A date, a time of day or a time zone cannot be read.",
        "Write 2026-11-01T08:00:00Z, \"02:00\", \"Europe/Vienna\".",
    ),
    code(
        "WB-P032",
        "A timing that is none",
        "A timing is one of: every so many minutes, at a time of day in a zone, after so many minutes without regard to further edits.",
        "Write { every_minutes = 15 }, { at = \"02:00\", zone = \"Europe/Vienna\" } or { hold_minutes = 10 }.",
    ),
    code(
        "WB-P033",
        "A table that is not there",
        "lookup names a table that is not under [tables].",
        "Correct the name, or add the table.",
    ),
    code(
        "WB-P034",
        "Amendments that the system has not",
        "The system's records are changed or not; there is no way to amend them.",
        "Write \"update\", \"park\" or \"ignore\" for on_edit.",
    ),
    code(
        "WB-P035",
        "Conflicts that would not be seen",
        "To see that a colleague changed a field it has to be read back, which this system's connector cannot.",
        "Write on_conflict = \"owner\" for this flow.",
    ),
    code(
        "WB-P036",
        "Records from before that cannot be looked for",
        "The connector has no way to find records by a field.",
        "Leave `match` out; give the flow a `since` instead.",
    ),
    code(
        "WB-P037",
        "A service that is not there",
        "Shares of an account go to services.",
        "Write one of the services that the message names.",
    ),
    code(
        "WB-P038",
        "A wait that would never end",
        "The flow waits for a system to which no flow brings these records.",
        "Add that flow, or take the system out of `after`.",
    ),
    code(
        "WB-P039",
        "A key without an effect here",
        "The key belongs to another kind of record, or contradicts its neighbour.",
        "Remove it, or write it where the message says.",
    ),
    code(
        "WB-P040",
        "A field that the record has not",
        "[kinds.<kind>.fields] gives owners to fields of the snapshot, as expressions name them.",
        "Correct the name; the message suggests the nearest.",
    ),
    code(
        "WB-P041",
        "A part that need not be there",
        "Not every record has this part: an order in the shop's own till has no customer, a download no address. A record without it would be parked, or none would be taken for a value. The plan passes all the same.",
        "Ask for it first, order.customer and …, say what stands for it, … | default(''), or write { value = \"…\", missing = \"skip\" }.",
    ),
];

/// The names that expressions can see, by the kind of record: every path, `[]` behind lists.
pub fn names() -> Vec<(Kind, Vec<String>)> {
    crate::check::MOVED.into_iter().map(|kind| (kind, schema::paths(kind))).collect()
}

/// The meaning of a code; the case of letters does not matter.
pub fn of(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|known| known.code.eq_ignore_ascii_case(code))
}
