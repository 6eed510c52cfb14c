//! Who gets in.

use reqwest::{StatusCode, header};

use crate::{
    browser::{Desk, PASSWORD, settings},
    fake::FakeServices,
    world::{World, parked},
};

const PAGES: [&str; 9] = [
    "/",
    "/waybills",
    "/waybills/main/order/1",
    "/parked",
    "/incidents",
    "/incidents?resolved=1",
    "/webhooks",
    "/plan",
    "/no-such-page",
];
const FORMS: [&str; 5] = ["/parked/retry", "/parked/discard", "/parked/edit", "/sign-out", "/no-such-form"];

fn one_parked() -> World {
    World::default().with(parked("erp", "1001", "unknown_item", "SKU TEE-M"))
}

#[tokio::test]
async fn no_page_is_shown_without_a_session() {
    let desk = Desk::closed(one_parked()).await;
    for path in PAGES {
        let page = desk.get(path).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}");
        assert!(page.header(header::LOCATION).starts_with("/sign-in"), "{path}");
        assert_eq!(page.text, "", "{path}");
    }
}

#[tokio::test]
async fn no_form_is_taken_without_a_session() {
    let desk = Desk::closed(one_parked()).await;
    for path in FORMS {
        let page = desk.post(path, &[("system", "erp"), ("code", "unknown_item")]).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert!(desk.services.world().retried.is_empty());
}

#[tokio::test]
async fn a_session_of_another_process_is_refused() {
    let mut desk = Desk::closed(World::default()).await;
    let other = Desk::closed(World::default()).await;
    desk.keep_cookie(&other.post("/sign-in", &[("password", PASSWORD)]).await);
    assert_eq!(desk.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let desk = Desk::closed(World::default()).await;
    let page = desk.post("/sign-in", &[("password", "correct-horse-batterz")]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert_eq!(page.header(header::SET_COOKIE), "");
    page.must_say("The password is wrong");
}

#[tokio::test]
async fn wrong_passwords_cost_time_even_before_the_right_one() {
    let desk = Desk::closed(World::default()).await;
    for _ in 0..3 {
        desk.post("/sign-in", &[("password", "a guess of somebody")]).await;
    }
    let page = desk.post("/sign-in", &[("password", PASSWORD)]).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(page.header(header::RETRY_AFTER), "1");
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_and_other_sites() {
    let desk = Desk::closed(World::default()).await;
    let page = desk.post("/sign-in", &[("password", PASSWORD)]).await;
    let cookie = page.header(header::SET_COOKIE);
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
}

#[tokio::test]
async fn signing_in_leads_to_the_wanted_page_of_ours_only() {
    let desk = Desk::closed(World::default()).await;
    for (then, expected) in [("/parked?system=erp", "/parked?system=erp"), ("//evil.example", "/")] {
        let page = desk.post("/sign-in", &[("password", PASSWORD), ("then", then)]).await;
        assert_eq!(page.header(header::LOCATION), expected);
    }
}

#[tokio::test]
async fn a_link_in_a_chat_reaches_its_page_with_the_session_that_is_there() {
    let desk = Desk::open(World::default()).await;
    let without_cookie = Desk::closed(World::default()).await;
    let held_back = without_cookie.get_from("/sign-in?then=%2Fparked", "cross-site").await;
    held_back.must_say(r#"content="0; url=/sign-in?then=%2Fparked""#);
    let asked_again = desk.get("/sign-in?then=%2Fparked").await;
    assert_eq!(asked_again.header(header::LOCATION), "/parked");
}

#[tokio::test]
async fn signing_out_ends_the_session_for_whoever_holds_the_cookie() {
    let desk = Desk::open(World::default()).await;
    assert_eq!(desk.submit("/", "/sign-out", &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(desk.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_form_without_its_token_is_refused() {
    let desk = Desk::open(one_parked()).await;
    for path in FORMS {
        let page = desk.post(path, &[("system", "erp"), ("code", "unknown_item")]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert!(desk.services.world().retried.is_empty());
}

#[tokio::test]
async fn a_form_of_another_site_is_refused_even_with_the_token() {
    let desk = Desk::open(one_parked()).await;
    let token = desk.get("/parked").await.form_token();
    let fields = [("system", "erp"), ("code", "unknown_item"), ("form", token.as_str())];
    let page = desk.post_from("/parked/retry", &fields, "cross-site").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(desk.services.world().retried.is_empty());
}

#[tokio::test]
async fn every_answer_forbids_scripts_frames_and_caches() {
    let desk = Desk::open(World::default()).await;
    for path in ["/", "/no-such-page", "/sign-in"] {
        let page = desk.get(path).await;
        let policy = page.header(header::CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"), "{path}: {policy}");
        assert_eq!(page.header(header::X_FRAME_OPTIONS), "DENY", "{path}");
        assert_eq!(page.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert_eq!(page.header(header::CACHE_CONTROL), "no-store", "{path}");
    }
}

#[tokio::test]
async fn monitors_need_no_session() {
    let desk = Desk::closed(World::default()).await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(desk.get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn a_short_password_stops_the_start() {
    let services = FakeServices::start(World::default()).await;
    let mut settings = settings(&services);
    let manifest = concat!("file:", env!("CARGO_MANIFEST_DIR"), "/tests/it/short-password.txt");
    settings.service.insert("password".to_owned(), manifest.into());
    let error = format!("{:#}", console::App::build(settings).await.unwrap_err());
    assert!(error.contains("at least 12 characters"), "{error}");
}
