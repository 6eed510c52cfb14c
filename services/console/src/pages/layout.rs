//! What every page has around it.

use axum::response::Html;
use jiff::{Timestamp, tz::TimeZone};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::parts;
use crate::{app::Console, services::Unanswered, sessions::Session, words};

/// How often pages that show what is under way come again, in seconds.
const REFRESH_SECONDS: u32 = 15;

/// Which entry of the menu a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Here {
    Overview,
    Waybills,
    Parked,
    Approvals,
    Incidents,
    Webhooks,
    Plan,
    Nowhere,
}

const MENU: [(Here, &str, &str); 7] = [
    (Here::Overview, "/", "Overview"),
    (Here::Waybills, "/waybills", "Waybills"),
    (Here::Parked, "/parked", "Parked"),
    (Here::Approvals, "/approvals", "Approvals"),
    (Here::Incidents, "/incidents", "Incidents"),
    (Here::Webhooks, "/webhooks", "Webhooks"),
    (Here::Plan, "/plan", "Plan"),
];

/// A page's surroundings.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) now: Timestamp,
    pub(super) zone: TimeZone,
    /// What the page's forms carry.
    pub(super) form: String,
    title: String,
    here: Here,
    refresh: Option<String>,
    unanswered: Vec<Unanswered>,
}

impl Frame {
    pub(super) fn of(console: &Console, session: &Session, title: &str, here: Here) -> Self {
        Self {
            now: console.clock.now(),
            zone: console.zone.clone(),
            form: console.sessions.form_token(session),
            title: title.to_owned(),
            here,
            refresh: None,
            unanswered: Vec::new(),
        }
    }

    /// Loads `path` again and again. Not for pages with a field to type in.
    pub(super) fn refreshing(mut self, path: impl Into<String>) -> Self {
        self.refresh = Some(path.into());
        self
    }

    /// Names the services that could not be asked at the top of the page.
    pub(super) fn without(mut self, unanswered: impl IntoIterator<Item = Unanswered>) -> Self {
        for one in unanswered {
            if !self.unanswered.iter().any(|known| known.service == one.service) {
                self.unanswered.push(one);
            }
        }
        self
    }

    pub(super) fn time(&self, time: Option<Timestamp>) -> Markup {
        parts::time(time, self.now, &self.zone)
    }

    /// The same with the time on the wall in sight, where a person compares it with other systems' logs.
    pub(super) fn moment(&self, time: Option<Timestamp>) -> Markup {
        html! {
            (self.time(time))
            @if let Some(time) = time { " (" (words::local(time, &self.zone)) ")" }
        }
    }

    pub(super) fn page(&self, content: Markup) -> Html<String> {
        let refresh = self.refresh.as_ref().map(|path| format!("{REFRESH_SECONDS}; url={path}"));
        document(
            &self.title,
            refresh.as_deref(),
            html! {
                header {
                    nav {
                        a.brand href="/" { (PreEscaped(super::ICON)) "Waybill" }
                        @for (here, path, word) in MENU {
                            a href=(path) aria-current=[(here == self.here).then_some("page")] { (word) }
                        }
                    }
                    form method="post" action="/sign-out" {
                        input type="hidden" name="form" value=(self.form);
                        button.quiet { "Sign out" }
                    }
                }
                main {
                    @for unanswered in &self.unanswered {
                        p.banner.bad role="alert" {
                            strong { (unanswered.service) } " "
                            @if !unanswered.url.is_empty() { "at " code { (unanswered.url) } " " }
                            (unanswered.problem) ". What it knows is missing on this page."
                        }
                    }
                    (content)
                }
                footer {
                    "As of " (words::local(self.now, &self.zone))
                    @if self.refresh.is_some() { ", again every " (REFRESH_SECONDS) " s" }
                }
            },
        )
    }
}

/// A page for people who are not signed in.
pub(super) fn bare(title: &str, content: Markup) -> Html<String> {
    document(title, None, html! { main.narrow { (content) } })
}

/// Goes on to `path` at once.
pub(super) fn moving_on(path: &str) -> Html<String> {
    let refresh = format!("0; url={path}");
    document("Waybill", Some(&refresh), html! { main.narrow { p { a href=(path) { "Go on" } } } })
}

fn document(title: &str, refresh: Option<&str>, body: Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                @if let Some(refresh) = refresh { meta http-equiv="refresh" content=(refresh); }
                title { (title) " · Waybill" }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/style.css";
            }
            body { (body) }
        }
    };
    Html(page.into_string())
}
