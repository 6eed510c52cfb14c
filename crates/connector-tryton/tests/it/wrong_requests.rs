//! What Tryton refuses, with its own words: the same table for the simulated Tryton and a real one.
//!
//! The answers are those of Tryton 8.2 (trytond 8.2.1, trytond_sale 8.2.0). Of a domain error's third argument only the
//! domain is compared: the rest describes form fields for Tryton's clients.

mod fixture;
mod table;

use serde_json::{Value as Json, json};

use crate::{bench::Bench, on_both};
use fixture::Fixture;

on_both!(every_wrong_request_is_refused_in_trytons_words, a_refused_request_changes_nothing);

/// What the table expects.
#[derive(Debug, Clone, PartialEq)]
enum Answer {
    /// 200 with a `UserError` of this message.
    User(String),
    /// The same with the domain that the value is outside of.
    Domain(String, Json),
    /// 200 with a `UserError` and its second part.
    Described(String, String),
    /// 200 with another exception's text.
    Exception(String),
    /// 200 with a `LoginException` for this parameter.
    Login(String),
    /// An HTML page with this status and text.
    Page(u16, String),
    /// 401 without a body.
    NoSession,
}

struct Wrong {
    name: &'static str,
    send: Send,
    answer: Answer,
}

enum Send {
    /// A method with its parameters; the context is added.
    Model(&'static str, Json),
    /// A method with its parameters as they are.
    Raw(&'static str, Json),
    /// A body with changed headers.
    Body(String, Vec<(&'static str, String)>),
}

fn user(message: impl Into<String>) -> Answer {
    Answer::User(message.into())
}

fn exception(text: &str) -> Answer {
    Answer::Exception(text.to_owned())
}

fn page(status: u16, text: &str) -> Answer {
    Answer::Page(status, text.to_owned())
}

fn model(name: &'static str, method: &'static str, parameters: Json, answer: Answer) -> Wrong {
    Wrong { name, send: Send::Model(method, parameters), answer }
}

/// A sale of the fixture's with something about it changed.
fn sale(fixture: &Fixture, name: &'static str, change: Json, answer: Answer) -> Wrong {
    let mut values = fixture.sale();
    merge(&mut values, change);
    model(name, "sale.sale.create", json!([[values]]), answer)
}

/// A sale with something about its only line changed.
fn line(fixture: &Fixture, name: &'static str, change: Json, answer: Answer) -> Wrong {
    let mut line = fixture.line();
    merge(&mut line, change);
    sale(fixture, name, json!({"lines": [["create", [line]]]}), answer)
}

/// Members of `change` replace those of `values`; `"-"` takes one out.
fn merge(values: &mut Json, change: Json) {
    let values = values.as_object_mut().unwrap();
    for (name, value) in change.as_object().unwrap().clone() {
        if value == "-" {
            values.remove(&name)
        } else {
            values.insert(name, value)
        };
    }
}

async fn every_wrong_request_is_refused_in_trytons_words(bench: &Bench) {
    let fixture = Fixture::make(bench).await;
    let mut wrong = Vec::new();
    for Wrong { name, send, answer } in table::all(&fixture) {
        let seen = answered(bench, send).await;
        if seen != Ok(answer.clone()) {
            wrong.push(format!("{name}:\n  expected {answer:?}\n  answered {seen:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong.join("\n"));
}

async fn a_refused_request_changes_nothing(bench: &Bench) {
    let fixture = Fixture::make(bench).await;
    let before = fixture.counts(bench).await;
    for Wrong { send, .. } in table::all(&fixture) {
        let _ = answered(bench, send).await;
    }
    assert_eq!(fixture.counts(bench).await, before);
}

async fn answered(bench: &Bench, send: Send) -> Result<Answer, String> {
    let (status, text) = match send {
        Send::Model(method, mut parameters) => {
            parameters.as_array_mut().unwrap().push(bench.vendor.context.clone());
            let body = json!({"id": 0, "method": format!("model.{method}"), "params": parameters});
            bench.vendor.send(&body.to_string(), &[]).await
        }
        Send::Raw(method, parameters) => {
            let body = json!({"id": 0, "method": method, "params": parameters});
            bench.vendor.send(&body.to_string(), &[]).await
        }
        Send::Body(body, headers) => {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            bench.vendor.send(&body, &headers).await
        }
    };
    read(status, &text).ok_or_else(|| format!("HTTP {status}: {}", text.chars().take(400).collect::<String>()))
}

fn read(status: u16, text: &str) -> Option<Answer> {
    if status == 401 && text.is_empty() {
        return Some(Answer::NoSession);
    }
    if status != 200 {
        let words = text.split_once("<p>")?.1.split_once("</p>")?.0;
        return Some(Answer::Page(status, words.to_owned()));
    }
    let body: Json = serde_json::from_str(text).ok()?;
    let error = body.get("error")?;
    let argument = |at: usize| error[1][at].as_str().unwrap_or_default().to_owned();
    Some(match error[0].as_str()? {
        "UserError" if !error[1][2].is_null() => Answer::Domain(argument(0), error[1][2][0].clone()),
        "UserError" if !argument(1).is_empty() => Answer::Described(argument(0), argument(1)),
        "UserError" => Answer::User(argument(0)),
        "LoginException" => Answer::Login(argument(0)),
        text => Answer::Exception(text.to_owned()),
    })
}
