//! What the codes of parked deliveries and incidents mean and what to do. For the person at 3 a.m.

/// The meaning of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// The code on receipts, dead letters and incidents.
    pub code: &'static str,
    /// One line for a heading.
    pub title: &'static str,
    /// What it means for the business.
    pub meaning: &'static str,
    /// What to do.
    pub action: &'static str,
}

const fn cause(code: &'static str, title: &'static str, meaning: &'static str, action: &'static str) -> Cause {
    Cause { code, title, meaning, action }
}

/// Every code that Waybill itself gives. A vendor's own code is shown as the vendor gave it.
pub const CAUSES: &[Cause] = &[
    cause(
        "unknown_item",
        "The system does not know an item",
        "A line's SKU is not in the system, so the order is not booked there.",
        "Create the item in the system, or map its SKU in the plan's table; then `waybill parked retry`.",
    ),
    cause(
        "missing_sku",
        "A line has no SKU",
        "The item cannot be named to the system, so the order is not booked there.",
        "Give the variant a SKU in the store; the next change of the order settles this by itself.",
    ),
    cause(
        "unmapped",
        "A value is not in the plan's table",
        "The plan does not say what this value is called in the system.",
        "Add the value to the table named in the message, then `waybill parked retry`.",
    ),
    cause(
        "unknown_field",
        "The system does not know a field",
        "The plan maps a field that the system's records do not have.",
        "Correct the field's name in the plan's map, or create the field in the system; then `waybill parked retry`.",
    ),
    cause(
        "duplicate",
        "The system holds a record twice",
        "Several records in the system carry our key, and none of them may be removed by us.",
        "Cancel or remove all but one of them in the system, then `waybill parked retry`.",
    ),
    cause(
        "map_error",
        "A map of the plan cannot be computed",
        "An expression of the plan failed on this record.",
        "Mend the expression named in the message, then `waybill parked retry`.",
    ),
    cause(
        "currency",
        "The price is in another currency",
        "The catalogue's prices are not in the store's currency, so the store keeps the price it has.",
        "Name a catalogue in the store's currency in the plan, or limit the flow to stores of this currency; then \
         `waybill parked retry`.",
    ),
    cause(
        "totals",
        "The order's sums do not hold",
        "Lines, discounts, shipping, tax and total as sent by the store do not add up; booking them would be a guess.",
        "Compare the order with the store's admin. If the store is right, report the order's id; discard or retry.",
    ),
    cause(
        "total_differs",
        "The system computes another total",
        "The system's taxes or rounding give another total than the customer paid.",
        "Check the tax codes in the plan's table against the rates in the system, then `waybill parked retry`.",
    ),
    cause(
        "invalid_address",
        "The address is refused",
        "The parcel cannot be shipped to this address.",
        "Correct the address in the store; the change settles this by itself.",
    ),
    cause(
        "nothing_to_ship",
        "The order has nothing to ship",
        "No line of the order needs a parcel, so the shipping system has nothing to do with it.",
        "Leave such orders out of the plan's flow; if a shipment is there already, cancel it by hand, then discard.",
    ),
    cause(
        "invalid_email",
        "The e-mail is refused",
        "The system takes no such e-mail address, so the person is not there.",
        "Correct the e-mail in the store; the change settles this by itself.",
    ),
    cause(
        "not_amendable",
        "The system no longer allows the change",
        "The record has gone too far in the system (shipped, invoiced) to be changed by us.",
        "Make the change by hand in the system, then `waybill parked discard` with a note.",
    ),
    cause(
        "unfulfillable",
        "The store has nothing left to fulfil",
        "The parcel's lines are fulfilled, cancelled or on hold at the store already.",
        "Compare the order's fulfilments in the store's admin with the parcel, then `waybill parked discard` with a note.",
    ),
    cause(
        "not_found",
        "The system no longer has the record",
        "It was deleted or merged away there.",
        "Restore it in the system, then `waybill parked retry`; or `waybill parked discard` with a note.",
    ),
    cause(
        "no_capability",
        "The system takes no such records",
        "The plan sends records to a connector that cannot take them.",
        "Correct the flow in the plan; `waybill plan check` names it.",
    ),
    cause(
        "conflict",
        "Both sides changed a field",
        "The store and a colleague in the system gave one field different values.",
        "Choose the value in the system or the store, then `waybill parked retry` or `discard`.",
    ),
    cause(
        "several_matches",
        "Several records could be this one",
        "The plan's match rule finds more than one record in the system, and none carries our key.",
        "Merge them in the system, or put our key on the right one; then `waybill parked retry`.",
    ),
    cause(
        "match_needs_person",
        "A record may be this one",
        "A match rule that the plan marks `ask` found a record in the system.",
        "If it is the same, put our key (in the message) on it; else change what matches. Then `waybill parked retry`.",
    ),
    cause(
        "point_of_no_return",
        "The record was changed after the plan's point of no return",
        "The system holds the record as it was before; the change is not there.",
        "Make the change by hand where it is needed, then `waybill parked discard` with a note.",
    ),
    cause(
        "edited",
        "The record was changed after it was handed over",
        "The plan asks a person to look at such changes; the system holds the record as it was before.",
        "Make the change by hand where it is needed, then `waybill parked discard` with a note; or change `on_edit`.",
    ),
    cause(
        "left",
        "The record no longer meets the flow's condition",
        "It was handed over when it did; the plan asks a person to look.",
        "Settle it by hand in the system, then `waybill parked discard` with a note.",
    ),
    cause(
        "malformed",
        "The system's answer cannot be read",
        "The vendor may have changed its API, or something stands between.",
        "Look at the kept answer in `waybill parked show`; retry once the vendor is well.",
    ),
    cause(
        "exhausted",
        "Too many attempts",
        "The system kept failing on this record while others passed.",
        "Look at the last error in `waybill parked show`, then `waybill parked retry`.",
    ),
    cause(
        "after_parked",
        "A system that comes first has not accepted",
        "The plan lets this delivery wait for another one, which is parked.",
        "Mend the parked one; this one follows by itself.",
    ),
    cause(
        "unauthorized",
        "The system refuses our credentials",
        "Nothing moves to this system; deliveries wait and nothing is lost.",
        "Renew the token that the plan refers to. It resumes by itself when a check passes.",
    ),
    cause(
        "unavailable",
        "The system does not answer",
        "Its deliveries wait and are sent when it is back.",
        "Look at the vendor's status page. Nothing needs to be retried by hand.",
    ),
    cause(
        "late",
        "Deliveries are later than the plan allows",
        "Records have not reached the system within the flow's limit.",
        "Look at `waybill status` for a paused or slow system.",
    ),
    cause(
        "approval_waiting",
        "Records wait for a person's approval",
        "The plan asks a person before they are written for the first time; they have waited longer than the flow allows.",
        "Look at `waybill approvals`, then `waybill approvals give` or `refuse` each.",
    ),
    cause(
        "first_run",
        "A system's first run asks before it creates many records",
        "It would create more records than the plan lets it without a word; they wait, and what it holds goes on being \
         written.",
        "Check the number in the detail and a few records with `waybill trace`. If they are right, `waybill release` the \
         system; else `waybill pause` it and mend the plan.",
    ),
    cause(
        "silence",
        "Fewer orders come than usual",
        "The store has sold less in the last hour than the plan calls usual at this time. Either nobody buys, or orders do \
         not reach us.",
        "Try the store's checkout. Look at `waybill webhooks` for what was received, at the store's webhook subscriptions \
         with `waybill setup`, and at https://www.shopifystatus.com.",
    ),
    cause(
        "missing_receipt",
        "A service has not said what became of a record",
        "The record was accepted, but the service in charge has not reported.",
        "Check that the service runs and is connected; it is asked again each minute.",
    ),
    cause(
        "unserved",
        "No process serves a system",
        "The plan names the system, but no running service has it in its settings.",
        "Start a replica whose `systems` names it.",
    ),
    cause(
        "unheard",
        "The watch hears no service",
        "Nothing came over NATS for 45 s, not even its own report: NATS is down or out of reach. Changes are kept by their \
         services, and nothing is delivered from one to another.",
        "Look at NATS, and at the alerter's way to it. What waits goes on by itself once it is back.",
    ),
    cause(
        "unreachable",
        "A service does not answer",
        "It was asked over gRPC for 30 s in vain. What it does is not done; without it the accounting line cannot be told.",
        "Look at its log and its /readyz, and at its address in the alerter's `peers`; start it.",
    ),
    cause(
        "plan_disagreement",
        "Replicas obey different plans",
        "The same record is decided by one rule or another, depending on which process takes it.",
        "Run `waybill plan status` to see who obeys what. Give all replicas the same file; one that does not take it up \
         needs a restart.",
    ),
    cause(
        "plan_refused",
        "The changed plan does not pass",
        "The replicas named go on with the plan that they had; the change is not in force there.",
        "Mend the plan's file as the message says and check it with `waybill plan check`; it is taken up by itself.",
    ),
    cause(
        "gap",
        "The accounting line does not close",
        "Accepted is not applied + superseded + ignored + parked + in flight: a record may be lost.",
        "Run `waybill accounting` to see where, then `waybill trace` the records named. `waybill hear` makes a delivery \
         that is gone again.",
    ),
    cause(
        "unreadable_webhook",
        "A webhook body cannot be read",
        "Its body is kept, but no record could be made of it.",
        "Look at it with `waybill webhooks --outcome unreadable`; the record comes with the next change or reconciliation.",
    ),
];

/// The meaning of a code, if it is one of ours.
pub fn of(code: &str) -> Option<&'static Cause> {
    CAUSES.iter().find(|cause| cause.code == code)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_say_what_to_do() {
        let mut seen = HashSet::new();
        for cause in super::CAUSES {
            assert!(seen.insert(cause.code), "{} twice", cause.code);
            assert!(!cause.action.is_empty() && !cause.meaning.is_empty());
        }
        assert!(super::of("no-such").is_none());
    }
}
