//! How records from before are found again.

use waybill_domain::{Kind, descriptor::Descriptor};

use super::Lacking;
use crate::{
    check::{Reading, needs},
    diagnostic::nearest,
    plan::{Match, MatchKey},
    read::{At, Node},
    typing::Scope,
};

impl Reading<'_, '_> {
    /// The match rules of a kind's records; those of people stand under `[customers]`.
    pub(super) fn read_matching(
        &mut self,
        node: &Node<'_, '_>,
        kind: Kind,
        to: Option<&Descriptor>,
        scope: &Scope,
    ) -> Vec<Match> {
        if kind == Kind::Customer {
            let mend = "write it once, under [customers]";
            self.problems.error("WB-P039", &node.place, "people are matched the same way everywhere", mend);
            return Vec::new();
        }
        if let (Some(needed), Some(descriptor)) = (needs(kind), to)
            && !descriptor.adopts.contains(&needed)
        {
            let what = format!("{} cannot look for {kind} records from before", descriptor.title);
            let mend = "leave 'match' out; with a 'since' records from before are left alone";
            self.problems.error("WB-P036", &node.place, what, mend);
        }
        self.match_rules(node, scope, false)
    }

    /// A list of match rules; `people` are matched by e-mail and phone too.
    pub(in crate::check) fn match_rules(&mut self, node: &Node<'_, '_>, scope: &Scope, people: bool) -> Vec<Match> {
        let mut rules = Vec::new();
        for node in node.list(&mut self.problems) {
            let rule = if !node.is_table() {
                let text = node.text(&mut self.problems);
                text.and_then(|text| self.match_word(&text, people)).map(|by| Match { by, ask: false })
            } else {
                self.match_table(&node, scope, people)
            };
            rules.extend(rule);
        }
        rules
    }

    fn match_word(&mut self, text: &At<String>, people: bool) -> Option<MatchKey> {
        match (text.value.as_str(), people) {
            ("email", true) => Some(MatchKey::Email),
            ("phone", true) => Some(MatchKey::Phone),
            (other, _) => {
                let words: &[&str] = if people { &["email", "phone"] } else { &[] };
                let mend = match words {
                    [] => "write { field = \"…\", value = \"…\" }".to_owned(),
                    words => format!(
                        "{}; or write {{ field = \"…\", value = \"…\" }}",
                        nearest(other, words.iter().copied())
                    ),
                };
                self.problems.error("WB-P008", &text.place, format!("nothing is matched by '{other}'"), mend);
                None
            }
        }
    }

    fn match_table(&mut self, node: &Node<'_, '_>, scope: &Scope, people: bool) -> Option<Match> {
        let mut table = node.table(&mut self.problems)?;
        let by = table.text("by", &mut self.problems);
        let field = table.text("field", &mut self.problems);
        let value = table.text("value", &mut self.problems);
        let ask = table.flag("ask", &mut self.problems).unwrap_or(false);
        table.finish(&mut self.problems);
        let by = match (by, field, value) {
            (Some(by), None, None) => self.match_word(&by, people)?,
            (None, Some(field), Some(value)) => {
                MatchKey::Field { name: field.value, value: self.value(&value, scope, Lacking::Parks)? }
            }
            _ => {
                let mend = "write { field = \"…\", value = \"…\" }, or { by = \"email\" } for people";
                self.problems.error("WB-P012", &node.place, "this is no whole match rule", mend);
                return None;
            }
        };
        Some(Match { by, ask })
    }
}
