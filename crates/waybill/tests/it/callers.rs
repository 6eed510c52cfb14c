//! Who calls: services' gRPC takes nobody without the token, the console nobody without a session.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use reqwest::{StatusCode, header::LOCATION, redirect::Policy};
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codegen::http::uri::PathAndQuery,
    service::Routes,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

use tokio_util::sync::CancellationToken;
use waybill_runtime::{
    grpc::{self, PeerChannel},
    settings::SecretText,
};
use waybill_testkit::{Proxy, wait_for_async};

use crate::{
    deployment::{DEADLINE, repository},
    running::Suite,
};

/// Within this a call ends by its own time-out.
const A_CALL: Duration = Duration::from_secs(30);

/// Every gRPC method, as `/waybill.v1.Source/ListChanges`, from the schemas.
fn methods() -> Vec<String> {
    let mut methods = Vec::new();
    for file in std::fs::read_dir(repository().join("proto/waybill/v1")).unwrap() {
        let mut service = String::new();
        for line in std::fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let mut words = line.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
            match (words.next(), words.next()) {
                (Some("service"), Some(name)) if line.ends_with('{') => service = name.to_owned(),
                (Some("rpc"), Some(name)) => methods.push(format!("/waybill.v1.{service}/{name}")),
                _ => {}
            }
        }
    }
    assert!(methods.len() > 15, "{methods:?}");
    methods
}

/// What a peer answers to a call of a method that it does not have.
async fn answer_of(peer: &PeerChannel) -> Option<Code> {
    let mut client = Grpc::new(peer.clone());
    client.ready().await.ok()?;
    let nowhere = PathAndQuery::from_static("/waybill.v1.Nobody/Nothing");
    client.unary(Request::new(()), nowhere, ProstCodec::<(), ()>::default()).await.err().map(|status| status.code())
}

#[tokio::test]
async fn a_peer_on_a_connection_that_the_road_forgot_is_called_on_a_new_one_before_a_call_times_out() {
    let listener = grpc::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let road = Proxy::start(listener.local_addr().unwrap()).unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn(grpc::serve(listener, Routes::default(), stop.clone()));
    let peer = grpc::peer(&format!("http://{}", road.address()), &SecretText::from("token".to_owned())).unwrap();
    assert_eq!(answer_of(&peer).await, Some(Code::Unimplemented));
    road.forget();
    let since = Instant::now();
    wait_for_async("an answer on another connection", DEADLINE, async || {
        (answer_of(&peer).await? == Code::Unimplemented).then_some(())
    })
    .await;
    assert!(road.struck() > 0 && since.elapsed() < A_CALL, "it took {:?}", since.elapsed());
    stop.cancel();
    server.await.unwrap().unwrap();
}

/// What a service answers to a call with an empty message and this header.
async fn call(channel: &Channel, method: &str, authorization: Option<&str>) -> Result<(), Status> {
    let mut request = Request::new(());
    if let Some(text) = authorization {
        request.metadata_mut().insert("authorization", text.parse().unwrap());
    }
    let mut client = Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let path: PathAndQuery = method.parse().unwrap();
    client.unary(request, path, ProstCodec::<(), ()>::default()).await.map(drop)
}

#[tokio::test]
async fn grpc_without_the_token_is_refused_by_every_service() {
    let Some(suite) = Suite::start().await else { return };
    let token = suite.token();
    let (right, wrong) = (format!("Bearer {token}"), format!("Bearer {}x", &token[1..]));
    let mut served = BTreeMap::new();
    for (service, address) in suite.peers() {
        let channel = Endpoint::from_shared(address).unwrap().timeout(DEADLINE).connect().await.unwrap();
        let mut here = 0;
        for method in methods() {
            // With the token: whatever the method makes of an empty message, it is there.
            let there = call(&channel, &method, Some(&right)).await.err().map(|status| status.code());
            if there == Some(Code::Unimplemented) {
                continue;
            }
            assert_ne!(there, Some(Code::Unauthenticated), "{service} {method}");
            here += 1;
            for authorization in [None, Some(""), Some("Bearer "), Some(&wrong), Some(&token)] {
                let code = call(&channel, &method, authorization).await.err().map(|status| status.code());
                assert_eq!(code, Some(Code::Unauthenticated), "{service} {method} {authorization:?}");
            }
        }
        served.insert(service, here);
    }
    assert!(served.len() == 6 && served.values().all(|methods| *methods > 0), "{served:?}");
    assert_eq!(suite.stop().await, Some(0));
}

#[tokio::test]
async fn the_console_without_a_session_sends_people_to_the_sign_in() {
    let Some(suite) = Suite::start().await else { return };
    let http = reqwest::Client::builder().redirect(Policy::none()).timeout(DEADLINE).build().unwrap();
    for page in [
        "/",
        "/waybills",
        "/waybills/main/order/1",
        "/parked",
        "/approvals",
        "/incidents",
        "/webhooks",
        "/plan",
        "/no-such-page",
    ] {
        let answer = http.get(format!("{}{page}", suite.console())).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{page}");
        assert!(answer.headers()[LOCATION].to_str().unwrap().starts_with("/sign-in"), "{page}");
    }
    for form in ["/parked/retry", "/parked/discard", "/approvals/give", "/approvals/refuse", "/systems/release"] {
        let answer = http.post(format!("{}{form}", suite.console())).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{form}");
    }
    drop(http);
    assert_eq!(suite.stop().await, Some(0));
}
