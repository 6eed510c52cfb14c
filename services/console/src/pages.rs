//! The pages and their forms.

mod approvals;
mod forms;
mod incidents;
mod layout;
mod overview;
mod parked;
mod parts;
mod plan;
mod plan_drawing;
mod plan_shown;
mod record;
mod sign_in;
mod waybills;
mod webhooks;

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::State,
    http::{StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use maud::html;

use crate::{app::Console, sessions::Session};
use layout::{Frame, Here};

pub(crate) use sign_in::sign_in_then;

type App = State<Arc<Console>>;

const STYLE: &str = include_str!("pages/style.css");
const ICON: &str = include_str!("pages/icon.svg");

/// Every page. [`crate::gate`] stands before them.
pub(crate) fn router() -> Router<Arc<Console>> {
    Router::new()
        .route("/", get(overview::show))
        .route("/waybills", get(waybills::list))
        .route("/waybills/{store}/{kind}/{id}", get(record::show))
        .route("/parked", get(parked::list))
        .route("/parked/retry", post(forms::retry))
        .route("/parked/discard", post(forms::discard))
        .route("/parked/edit", post(forms::edit))
        .route("/approvals", get(approvals::list))
        .route("/approvals/give", post(forms::approve))
        .route("/approvals/refuse", post(forms::refuse))
        .route("/systems/release", post(forms::release))
        .route("/incidents", get(incidents::list))
        .route("/webhooks", get(webhooks::list))
        .route("/plan", get(plan::show))
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/sign-out", post(sign_in::leave))
        .route("/style.css", get(|| embedded("text/css; charset=utf-8", STYLE)))
        .route("/icon.svg", get(|| embedded("image/svg+xml", ICON)))
        .fallback(nowhere)
}

async fn embedded(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=600")], text).into_response()
}

async fn nowhere(State(console): App, Extension(session): Extension<Session>, uri: Uri) -> Response {
    let frame = Frame::of(&console, &session, "Not found", Here::Nowhere);
    let page = frame.page(html! {
        h1 { "Not found" }
        p { "There is no page " code { (uri.path()) } "." }
    });
    (StatusCode::NOT_FOUND, page).into_response()
}

/// A refusal that needs no session.
pub(crate) fn refused(status: StatusCode, why: &str) -> Response {
    let page = layout::bare(
        "Refused",
        html! {
            h1 { "Refused" }
            p { (why) }
            p { a href="/" { "To the overview" } }
        },
    );
    (status, page).into_response()
}
