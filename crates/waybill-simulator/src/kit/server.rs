//! Serves a simulated vendor, cutting connections where a fault says so.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinHandle};
use tower::ServiceExt;

use super::{Fault, FaultKind, Faults, Journal};

/// A simulated vendor, ready to be served.
#[derive(Clone)]
pub struct Simulated {
    /// The vendor's own paths.
    pub router: Router,
    /// What was accepted.
    pub journal: Journal,
    /// What goes wrong.
    pub faults: Faults,
    /// The vendor's own answer to a request over the limit.
    pub too_many: fn(retry_after_s: u64) -> Response,
    /// The vendor's own answer to wrong credentials.
    pub unauthorized: fn() -> Response,
}

/// A served vendor. Dropping it ends the server and all its connections.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What was accepted.
    pub journal: Journal,
    /// What goes wrong.
    pub faults: Faults,
    task: JoinHandle<()>,
}

impl Running {
    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves on a listener until the result is dropped.
///
/// # Errors
/// If the listener has no local address.
pub fn serve(simulated: Simulated, listener: TcpListener) -> std::io::Result<Running> {
    let address = listener.local_addr()?;
    let (journal, faults) = (simulated.journal.clone(), simulated.faults.clone());
    let control = Router::new()
        .route("/_control/journal", get(|State(s): State<Simulated>| async move { s.journal.json_lines() }))
        .route(
            "/_control/faults",
            post(|State(s): State<Simulated>, Json(fault): Json<Fault>| async move {
                s.faults.add(fault);
                StatusCode::NO_CONTENT
            })
            .delete(|State(s): State<Simulated>| async move {
                s.faults.clear();
                StatusCode::NO_CONTENT
            })
            .get(|State(s): State<Simulated>| async move { Json(s.faults.struck()) }),
        )
        // A vendor's own controls, such as `/_control/state`.
        .fallback_service(simulated.router.clone())
        .with_state(simulated.clone());
    let task = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            while connections.try_join_next().is_some() {}
            let (simulated, control) = (simulated.clone(), control.clone());
            connections.spawn(async move {
                let service = service_fn(move |request| answer(simulated.clone(), control.clone(), request));
                // An error here is the cut that a fault asked for, or the client's own.
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Ok(Running { address, journal, faults, task })
}

/// The connection is cut: hyper closes it without an answer.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut")
    }
}

impl std::error::Error for Cut {}

async fn answer(simulated: Simulated, control: Router, request: Request<Incoming>) -> Result<Response, Cut> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let request = |body| Request::from_parts(parts, Body::from(body));
    if path.starts_with("/_control/") {
        return Ok(run(control, request(body)).await);
    }
    let Some(fault) = simulated.faults.strike(&path, &body) else {
        return Ok(run(simulated.router, request(body)).await);
    };
    match fault {
        FaultKind::TooManyRequests { retry_after_s } => Ok((simulated.too_many)(retry_after_s)),
        FaultKind::Unauthorized => Ok((simulated.unauthorized)()),
        FaultKind::ServerError => Ok(html(StatusCode::INTERNAL_SERVER_ERROR)),
        FaultKind::Slow { delay_ms } => {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            Ok(run(simulated.router, request(body)).await)
        }
        FaultKind::CutBefore => Err(Cut),
        FaultKind::CutAfter => {
            run(simulated.router, request(body)).await;
            Err(Cut)
        }
        FaultKind::ErrorAfter => {
            run(simulated.router, request(body)).await;
            Ok(html(StatusCode::BAD_GATEWAY))
        }
        FaultKind::ErrorIn200 => Ok(html(StatusCode::OK)),
    }
}

async fn run(router: Router, request: Request<Body>) -> Response {
    router.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {})
}

fn html(status: StatusCode) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html")], "<html><body>Something went wrong</body></html>").into_response()
}

/// The current time, milliseconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "the simulator is an outside party with a clock of its own")]
pub(crate) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
