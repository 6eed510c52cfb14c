//! How `waybill up` starts and stops.

use std::time::Instant;

use reqwest::StatusCode;
use tonic::transport::Endpoint;

use crate::{
    deployment::DEADLINE,
    running::{STOP_WITHIN, Suite},
};

#[tokio::test]
async fn up_stops_in_time_with_exit_code_0_while_clients_are_connected() {
    let Some(suite) = Suite::start().await else { return };
    // Connections that stay open: a browser's, and a peer's to each service.
    let http = reqwest::Client::builder().timeout(DEADLINE).build().unwrap();
    let answer = http.get(format!("{}/healthz", suite.console())).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let mut channels = Vec::new();
    for address in suite.peers().into_values() {
        channels.push(Endpoint::from_shared(address).unwrap().connect().await.unwrap());
    }
    let asked = Instant::now();
    assert_eq!(suite.stop().await, Some(0));
    assert!(asked.elapsed() < STOP_WITHIN, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn up_starts_again_on_what_it_left() {
    let Some(suite) = Suite::start().await else { return };
    let token = suite.token();
    let suite = suite.again().await;
    assert_eq!(suite.token(), token);
    assert_eq!(suite.stop().await, Some(0));
}

#[tokio::test]
async fn what_up_leaves_in_its_folder_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(suite) = Suite::start().await else { return };
    for file in std::fs::read_dir(suite.deployment.folder.path().join("state")).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", file.path().display());
    }
    assert_eq!(suite.stop().await, Some(0));
}

#[tokio::test]
async fn passwords_given_by_environment_are_all_given_or_refused_by_name() {
    let Some(deployment) = crate::deployment::Deployment::empty() else { return };
    let output = std::process::Command::new(crate::deployment::waybill())
        .arg("migrate")
        .envs(deployment.variables())
        .env("WAYBILL_PASSWORD_ERP_SYNC", "one-of-many")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("WAYBILL_PASSWORD_SHOPIFY_INGEST is empty or not set"), "{told}");
}

#[tokio::test]
async fn all_secrets_that_do_not_resolve_are_said_at_once_with_their_places() {
    let Some(deployment) = crate::deployment::Deployment::empty() else { return };
    let output = std::process::Command::new(crate::deployment::waybill())
        .args(["up", "--free-ports", "--plan"])
        .arg(crate::deployment::example_plan())
        .envs(deployment.variables())
        .env("HUBSPOT_TOKEN", "there")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{told}");
    for (at, variable) in [
        ("systems.erp.password", "TRYTON_PASSWORD"),
        ("systems.shipping.api_key", "SHIPSTATION_API_KEY"),
        ("stores.main.webhook_secrets", "SHOPIFY_WEBHOOK_SECRET"),
    ] {
        assert!(told.contains(at), "{at}: {told}");
        assert!(told.contains(&format!("the environment variable {variable} is not set")), "{variable}: {told}");
    }
    assert!(!told.contains("HUBSPOT_TOKEN is not set"), "{told}");
}
