//! A browser of few words: one cookie, no redirects followed.

use std::net::SocketAddr;

use console::App;
use reqwest::{Client, Method, StatusCode, header, redirect::Policy};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::form_urlencoded;
use waybill_runtime::ServiceSettings;

use crate::{
    fake::{FakeServices, TOKEN},
    world::World,
};

pub(crate) const PASSWORD: &str = "correct-horse-battery";

/// A running console with its services, and a browser in front of it.
pub(crate) struct Desk {
    pub(crate) services: FakeServices,
    address: SocketAddr,
    client: Client,
    cookie: Option<String>,
    _stop: DropGuard,
}

/// An answer, read whole.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: header::HeaderMap,
    pub(crate) text: String,
}

impl Page {
    #[track_caller]
    pub(crate) fn must_say(&self, expected: &str) {
        assert!(self.text.contains(expected), "'{expected}' is not on the page:\n{}", self.text);
    }

    #[track_caller]
    pub(crate) fn must_not_say(&self, unwanted: &str) {
        assert!(!self.text.contains(unwanted), "'{unwanted}' is on the page:\n{}", self.text);
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The token that the page's forms carry.
    pub(crate) fn form_token(&self) -> String {
        let (_, rest) = self.text.split_once(r#"name="form" value=""#).expect("a page with a form");
        rest.split('"').next().unwrap().to_owned()
    }
}

/// The settings of a console beside these services.
pub(crate) fn settings(services: &FakeServices) -> ServiceSettings {
    let password = concat!("file:", env!("CARGO_MANIFEST_DIR"), "/tests/it/password.txt");
    let text = console::DEFAULTS.replace("env:WAYBILL_CONSOLE_PASSWORD", password);
    let peers: Vec<_> = services.peers.iter().map(|(name, url)| format!("{name}={url}")).collect();
    let variables = [
        ("WAYBILL_HTTP", "127.0.0.1:0".to_owned()),
        ("WAYBILL_GRPC_TOKEN", TOKEN.to_owned()),
        ("WAYBILL_PEERS", peers.join(",")),
        ("WAYBILL_PLAN", services.world().plan.clone()),
    ];
    let read = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    ServiceSettings::load_from(&text, &read).unwrap()
}

impl Desk {
    /// Nobody is signed in.
    pub(crate) async fn closed(world: World) -> Self {
        let services = FakeServices::start(world).await;
        let app = App::build(settings(&services)).await.unwrap();
        let address = app.http_address();
        let stop = CancellationToken::new();
        tokio::spawn(app.run(stop.clone()));
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { services, address, client, cookie: None, _stop: stop.drop_guard() }
    }

    /// Signed in.
    pub(crate) async fn open(world: World) -> Self {
        let mut desk = Self::closed(world).await;
        let page = desk.post("/sign-in", &[("password", PASSWORD)]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        desk.keep_cookie(&page);
        desk
    }

    pub(crate) fn keep_cookie(&mut self, page: &Page) {
        let cookie = page.header(header::SET_COOKIE);
        self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.send(Method::GET, path, &[], None).await
    }

    pub(crate) async fn get_from(&self, path: &str, site: &'static str) -> Page {
        self.send(Method::GET, path, &[("sec-fetch-site", site)], None).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.post_from(path, fields, "same-origin").await
    }

    pub(crate) async fn post_from(&self, path: &str, fields: &[(&str, &str)], site: &'static str) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Method::POST, path, &[("sec-fetch-site", site)], Some(body)).await
    }

    /// Posts a form as the page at `from` would.
    pub(crate) async fn submit(&self, from: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.get(from).await.form_token();
        let mut fields = fields.to_vec();
        fields.push(("form", &token));
        self.post(path, &fields).await
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Page {
        let mut request = self.client.request(method, format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Page { status, headers, text: response.text().await.unwrap() }
    }
}
