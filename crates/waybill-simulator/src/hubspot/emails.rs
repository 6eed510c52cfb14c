//! A contact's e-mails: one in `email`, the others in `hs_additional_emails`.

use super::{catalogue::ADDITIONAL_EMAILS, record::Record};

/// The property of a contact's first e-mail.
pub(super) const EMAIL: &str = "email";

/// The e-mails beside the first.
pub(super) fn additional(record: &Record) -> Vec<String> {
    let listed = record.stored(ADDITIONAL_EMAILS).unwrap_or_default();
    listed.split(';').filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

/// Puts the list right after a write: an e-mail that became the first is no other one any more, and the one before it
/// stays as another, as when somebody chooses another first e-mail on the contact's page (knowledge.hubspot.com, "Add
/// multiple email addresses to a contact").
pub(super) fn arrange(record: &mut Record, before: Option<&Record>, now_ms: i64) {
    let first = record.stored(EMAIL).unwrap_or_default().to_owned();
    let mut others = additional(record);
    if !first.is_empty() && others.contains(&first) {
        others.retain(|one| *one != first);
        others.extend(before.and_then(|before| before.stored(EMAIL)).filter(|old| *old != first).map(str::to_owned));
    }
    record.set(ADDITIONAL_EMAILS, others.join(";"), now_ms);
}

/// Gives a contact all e-mails of one that is merged into it.
pub(super) fn gather(kept: &mut Record, gone: &Record, now_ms: i64) {
    let Some(first) = kept.stored(EMAIL) else {
        return;
    };
    let mut others = additional(kept);
    let more = gone.stored(EMAIL).map(str::to_owned).into_iter().chain(additional(gone));
    others.extend(more.filter(|one| one != first));
    kept.set(ADDITIONAL_EMAILS, others.join(";"), now_ms);
}
