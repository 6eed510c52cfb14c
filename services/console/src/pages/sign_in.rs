//! Signing in and out.

use std::net::SocketAddr;

use axum::{
    Extension,
    extract::{ConnectInfo, Query, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use maud::html;
use serde::Deserialize;

use super::{App, layout, parts::with_query};
use crate::{gate::Fields, sessions::Session};

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    then: String,
}

/// The page to sign in, which goes on to where the person wanted to be.
pub(crate) fn sign_in_then(wanted: &Uri) -> String {
    let wanted = wanted.path_and_query().map_or("", |wanted| wanted.as_str());
    with_query("/sign-in", &[("then", if wanted == "/" { "" } else { wanted })])
}

/// A page of ours to go on to; anything else leads to the overview.
fn ours(then: &str) -> &str {
    let plain = then.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain && then.starts_with('/') && !then.starts_with("//") { then } else { "/" }
}

pub(super) async fn show(
    session: Option<Extension<Session>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let then = ours(&asked.then);
    if session.is_some() {
        return Redirect::to(then).into_response();
    }
    // A link in a chat comes from another site, so the browser holds the session's cookie back. Asked again from
    // here, it sends it.
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return again_from_here(then).into_response();
    }
    form(then, None).into_response()
}

fn again_from_here(then: &str) -> Html<String> {
    layout::moving_on(&with_query("/sign-in", &[("then", then)]))
}

fn form(then: &str, problem: Option<&str>) -> Html<String> {
    layout::bare(
        "Sign in",
        html! {
            form.sign-in method="post" action="/sign-in" {
                h1 { "Waybill" }
                @if let Some(problem) = problem { p.banner.bad role="alert" { (problem) } }
                input type="hidden" name="then" value=(then);
                label for="password" { "Password" }
                input #password type="password" name="password" autocomplete="current-password" required autofocus;
                button { "Sign in" }
            }
        },
    )
}

pub(super) async fn enter(
    State(console): App,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let now = console.clock.now();
    let then = ours(fields.text("then"));
    if let Err(wait) = console.attempts.begin(from.ip(), now) {
        let seconds = wait.as_secs() + 1;
        let problem = format!("Too many wrong passwords. Try again in {seconds} s.");
        let retry_after = [(header::RETRY_AFTER, seconds.to_string())];
        return (StatusCode::TOO_MANY_REQUESTS, retry_after, form(then, Some(&problem))).into_response();
    }
    if !console.sessions.same_secret(fields.exact("password"), console.password.expose()) {
        console.metrics.add("waybill_console_refused_passwords_total", &[], 1);
        tracing::warn!("a sign-in with a wrong password was refused");
        return (StatusCode::UNAUTHORIZED, form(then, Some("The password is wrong."))).into_response();
    }
    console.attempts.succeeded(from.ip());
    match console.sessions.start(now) {
        Ok(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to(then)).into_response(),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "no session can be started");
            let problem = "No session can be started; see the console's log.";
            (StatusCode::INTERNAL_SERVER_ERROR, form(then, Some(problem))).into_response()
        }
    }
}

pub(super) async fn leave(State(console): App, Extension(session): Extension<Session>) -> Response {
    let cookie = console.sessions.end(&session, console.clock.now());
    ([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response()
}

#[cfg(test)]
mod tests {
    use super::{ours, sign_in_then};

    #[test]
    fn only_pages_of_ours_are_gone_on_to() {
        assert_eq!(ours("/waybills?search=%231001"), "/waybills?search=%231001");
        for elsewhere in ["", "https://evil.example", "//evil.example", "/\\evil.example", "/a\r\nb", "/ä"] {
            assert_eq!(ours(elsewhere), "/", "{elsewhere:?}");
        }
    }

    #[test]
    fn the_wanted_page_is_kept_whole() {
        let wanted = "/waybills?search=%231&kind=order".parse().unwrap();
        assert_eq!(sign_in_then(&wanted), "/sign-in?then=%2Fwaybills%3Fsearch%3D%25231%26kind%3Dorder");
    }
}
