//! Where it stands what identifies people. Codes of countries and postal codes stay, as plans tell by them; so do items,
//! amounts, ids and what people call an order.

#[cfg(test)]
mod tests;

use waybill_domain::{
    Body, Personal, Snapshot,
    customer::{Address, Customer, Person},
    order::{Order, Refund},
    shipment::{Fulfilment, Shipment},
};
use waybill_plan::recorded::RecordedDecision;

use super::Pseudonyms;

/// What was replaced, and by what.
#[derive(Debug, Default)]
pub(super) struct Replaced(Vec<(String, String)>);

impl Pseudonyms {
    /// Replaces what identifies people in a snapshot.
    pub(super) fn replace(&self, snapshot: &mut Snapshot) -> Replaced {
        let mut replaced = Replaced::default();
        match &mut snapshot.body {
            None
            | Some(Body::Product(_) | Body::InventoryLevel(_) | Body::StockLevel(_) | Body::Price(_))
            // An incident carries ids only.
            | Some(Body::Incident(_)) => {}
            Some(Body::Order(order)) => self.order(order, &mut replaced),
            Some(Body::Customer(customer)) => self.customer(customer, &mut replaced),
            Some(Body::Refund(refund)) => self.refund(refund, &mut replaced),
            Some(Body::Fulfilment(fulfilment)) => self.fulfilment(fulfilment, &mut replaced),
            Some(Body::Shipment(shipment)) => self.shipment(shipment, &mut replaced),
        }
        replaced
    }

    /// Replaces in a decision what was replaced in its snapshot, and leaves out hashes of the true document. Words
    /// whose snapshot is not there are left out: nobody can tell whom they name.
    pub(super) fn replace_in_decision(&self, decision: &mut RecordedDecision, replaced: Option<&Replaced>) {
        decision.document_hash.clear();
        decision.delivery.applied_hash = None;
        decision.message = match replaced {
            Some(replaced) => self.in_words(&decision.message, replaced),
            None => String::new(),
        };
    }

    fn order(&self, order: &mut Order, replaced: &mut Replaced) {
        if let Some(person) = &mut order.customer {
            self.person(person, replaced);
        }
        replaced.personal(&mut order.email, |text| self.email(text));
        replaced.personal(&mut order.phone, |text| self.phone(text));
        for address in [&mut order.billing_address, &mut order.shipping_address].into_iter().flatten() {
            self.address(address, replaced);
        }
        replaced.text(&mut order.note, |text| self.name(text));
        for refund in &mut order.refunds {
            self.refund(refund, replaced);
        }
        for text in order.tags.iter_mut().chain(order.lines.iter_mut().map(|line| &mut line.title)) {
            *text = self.in_words(text, replaced);
        }
    }

    fn customer(&self, customer: &mut Customer, replaced: &mut Replaced) {
        replaced.personal(&mut customer.first_name, |text| self.name(text));
        replaced.personal(&mut customer.last_name, |text| self.name(text));
        replaced.personal(&mut customer.email, |text| self.email(text));
        replaced.personal(&mut customer.phone, |text| self.phone(text));
        replaced.personal(&mut customer.note, |text| self.name(text));
        if let Some(address) = &mut customer.default_address {
            self.address(address, replaced);
        }
        for tag in &mut customer.tags {
            *tag = self.in_words(tag, replaced);
        }
    }

    fn person(&self, person: &mut Person, replaced: &mut Replaced) {
        replaced.personal(&mut person.first_name, |text| self.name(text));
        replaced.personal(&mut person.last_name, |text| self.name(text));
        replaced.personal(&mut person.email, |text| self.email(text));
        replaced.personal(&mut person.phone, |text| self.phone(text));
    }

    fn address(&self, address: &mut Address, replaced: &mut Replaced) {
        let names = [
            &mut address.first_name,
            &mut address.last_name,
            &mut address.company,
            &mut address.address2,
            &mut address.city,
        ];
        for name in names {
            replaced.personal(name, |text| self.name(text));
        }
        replaced.personal(&mut address.address1, |text| self.street(text));
        replaced.personal(&mut address.phone, |text| self.phone(text));
    }

    fn refund(&self, refund: &mut Refund, replaced: &mut Replaced) {
        replaced.text(&mut refund.note, |text| self.name(text));
    }

    fn fulfilment(&self, fulfilment: &mut Fulfilment, replaced: &mut Replaced) {
        for number in &mut fulfilment.tracking_numbers {
            replaced.text(number, |text| self.tracking_number(text));
        }
    }

    fn shipment(&self, shipment: &mut Shipment, replaced: &mut Replaced) {
        replaced.text(&mut shipment.tracking_number, |text| self.tracking_number(text));
        replaced.text(&mut shipment.tracking_url, |text| self.link(text));
    }

    /// Replaces within words: whatever looks like an e-mail, and what was replaced elsewhere.
    fn in_words(&self, words: &str, replaced: &Replaced) -> String {
        let mut words = self.emails_in(words);
        for (original, pseudonym) in &replaced.0 {
            words = replace_word(&words, original, pseudonym);
            if let Some(phone) = digits_of_phone(original) {
                words = replace_phone(&words, &phone, pseudonym);
            }
        }
        words
    }

    fn emails_in(&self, words: &str) -> String {
        each_run(
            words,
            |sign| sign.is_alphanumeric() || "@._%+-".contains(sign),
            |run| {
                let email = run.trim_end_matches('.');
                match email.split_once('@') {
                    Some((user, host)) if !user.is_empty() && !host.is_empty() => {
                        Some(self.email(email) + &run[email.len()..])
                    }
                    _ => None,
                }
            },
        )
    }
}

impl Replaced {
    fn personal(&mut self, text: &mut Personal, with: impl FnOnce(&str) -> String) {
        let mut inner = text.expose().to_owned();
        self.text(&mut inner, with);
        *text = inner.into();
    }

    fn text(&mut self, text: &mut String, with: impl FnOnce(&str) -> String) {
        if text.trim().is_empty() {
            return;
        }
        let pseudonym = with(text);
        let original = std::mem::replace(text, pseudonym.clone());
        let letters = original.chars().filter(|sign| sign.is_alphabetic()).count();
        let digits = original.chars().filter(char::is_ascii_digit).count();
        // The number of a house stands in many words that are not about it.
        if letters > 1 || digits > 4 {
            self.0.push((original.trim().to_owned(), pseudonym));
            // What is part of another is replaced after it.
            self.0.sort_by_key(|(original, _)| std::cmp::Reverse(original.len()));
        }
    }
}

/// Copies a text; each longest run of signs of a sort is replaced if there is something to replace it with.
fn each_run(words: &str, is_part: impl Fn(char) -> bool, replace: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(start) = rest.find(&is_part) {
        let (before, from) = rest.split_at(start);
        let (run, after) = from.split_at(from.find(|sign| !is_part(sign)).unwrap_or(from.len()));
        out.push_str(before);
        match replace(run) {
            Some(other) => out.push_str(&other),
            None => out.push_str(run),
        }
        rest = after;
    }
    out + rest
}

/// The digits of what can be no word but a phone.
fn digits_of_phone(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= 7 && !text.chars().any(char::is_alphabetic)).then_some(digits)
}

/// Replaces a phone however it is written: with the country's code, the leading 0, or neither.
fn replace_phone(words: &str, phone: &str, pseudonym: &str) -> String {
    each_run(
        words,
        |sign| sign.is_ascii_digit() || "+ ()-/.".contains(sign),
        |run| {
            let bare = run.trim_matches([' ', '.', '-', '/']);
            let digits = digits_of_phone(bare)?;
            let (ours, theirs) = (phone.trim_start_matches('0'), digits.trim_start_matches('0'));
            let is_same = ours.len().min(theirs.len()) >= 7 && (ours.ends_with(theirs) || theirs.ends_with(ours));
            is_same.then(|| run.replacen(bare, pseudonym, 1))
        },
    )
}

/// Replaces a text where it stands as a word of its own, in small letters or large.
fn replace_word(words: &str, from: &str, to: &str) -> String {
    let is_edge = |sign: Option<char>| sign.is_none_or(|sign| !sign.is_alphanumeric());
    let mut out = String::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        let length = same_start(&words[at..], from);
        let before = words[..at].chars().next_back();
        match length {
            Some(length) if is_edge(before) && is_edge(words[at + length..].chars().next()) => {
                out.push_str(to);
                at += length;
            }
            _ => {
                let sign = words[at..].chars().next().unwrap_or_default();
                out.push(sign);
                at += sign.len_utf8();
            }
        }
    }
    out
}

/// How many bytes of `words` are `text`, in small letters or large.
fn same_start(words: &str, text: &str) -> Option<usize> {
    let mut theirs = words.chars();
    let mut length = 0;
    for sign in text.chars() {
        let other = theirs.next()?;
        if !other.to_lowercase().eq(sign.to_lowercase()) {
            return None;
        }
        length += other.len_utf8();
    }
    Some(length)
}
