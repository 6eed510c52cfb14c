//! A service's NATS user says its own subjects and hears its own consumers, and nothing else.

use std::{process::Command, time::Duration};

use async_nats::{Client, ConnectOptions, Event, jetstream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use waybill_bus::topology::{self, SERVICES, STREAMS, inbox_prefix};
use waybill_testkit::{Program, skip_or_fail};

use crate::deployment::{DEADLINE, Deployment, repository, said};

/// A connection as one service, and what the server refuses it.
struct User {
    client: Client,
    refusals: UnboundedReceiver<String>,
}

impl User {
    async fn connect(deployment: &Deployment, service: &str) -> Self {
        let password = deployment.variable(service, "WAYBILL_NATS_PASSWORD");
        let (told, refusals) = unbounded_channel();
        let client = ConnectOptions::new()
            .user_and_password(service.to_owned(), password)
            .custom_inbox_prefix(inbox_prefix(service))
            .event_callback(move |event| {
                if let Event::ServerError(error) = event {
                    let _ = told.send(error.to_string());
                }
                async {}
            })
            .connect(deployment.nats.url())
            .await
            .unwrap();
        Self { client, refusals }
    }

    /// The server's next refusal, which names what it refused.
    async fn refused(&mut self, what: &str) {
        let refusal = tokio::time::timeout(DEADLINE, self.refusals.recv()).await;
        let refusal = refusal.unwrap_or_else(|_| panic!("{what} is not refused")).unwrap();
        let refusal = refusal.to_lowercase();
        assert!(
            refusal.contains("permissions violation") && refusal.contains(&what.to_lowercase()),
            "{what}: {refusal}"
        );
    }
}

/// The subject that each service alone may say records on.
const RECORDS: [(&str, &str); 3] = [
    ("shopify-ingest", "store.v1.order.main.1"),
    ("inventory-router", "stock.v1.stock-level.main.1"),
    ("fulfilment-sync", "shipment.v1.shipment.main.1"),
];

/// What only `owner` may publish.
fn subjects_of(owner: &str) -> Vec<String> {
    let mut subjects = vec![
        format!("receipt.v1.{owner}.erp.order.main.1"),
        format!("dead.v1.{owner}.erp.order.main.1"),
        format!("control.v1.erp.{owner}"),
        format!("plan.v1.{owner}"),
    ];
    subjects.extend(RECORDS.iter().filter(|(service, _)| *service == owner).map(|(_, subject)| (*subject).to_owned()));
    for hears in topology::hears().into_iter().filter(|hears| hears.service == owner) {
        subjects.push(format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", hears.stream, hears.durable));
        subjects.push(format!("$JS.ACK.{}.{}.1.1.1.1.1", hears.stream, hears.durable));
    }
    subjects
}

async fn messages(deployment: &Deployment) -> u64 {
    let password = admin_password(deployment);
    let client =
        ConnectOptions::new().user_and_password("admin".to_owned(), password).connect(deployment.nats.url()).await;
    let context = jetstream::new(client.unwrap());
    let mut total = 0;
    for stream in STREAMS {
        total += context.get_stream(stream.name).await.unwrap().cached_info().state.messages;
    }
    total
}

/// As the configuration has it: of all users the administrator's is the one that no service is told.
fn admin_password(deployment: &Deployment) -> String {
    let users = said(&deployment.run(&["nats-config"]));
    let line = users.lines().find(|line| line.contains("user: admin,")).unwrap();
    line.split('"').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn a_service_is_refused_what_another_says() {
    let Some(deployment) = Deployment::migrated() else { return };
    for service in SERVICES {
        let mut user = User::connect(&deployment, service).await;
        for other in SERVICES.into_iter().filter(|other| *other != service) {
            for subject in subjects_of(other) {
                user.client.publish(subject.clone(), "forged".into()).await.unwrap();
                user.client.flush().await.unwrap();
                user.refused(&subject).await;
            }
        }
    }
    assert_eq!(messages(&deployment).await, 0, "a forged message was stored");
}

#[tokio::test]
async fn a_service_says_what_is_its_own() {
    let Some(deployment) = Deployment::migrated() else { return };
    let mut stored = 0;
    for service in SERVICES {
        let user = User::connect(&deployment, service).await;
        let context = jetstream::new(user.client);
        // Heartbeats and requests are kept in no stream.
        let kept = |subject: &String| !["$", "control.", "plan."].iter().any(|head| subject.starts_with(head));
        let own = subjects_of(service).into_iter().filter(kept);
        for subject in own {
            context.publish(subject.clone(), "own".into()).await.unwrap().await.expect(&subject);
            stored += 1;
        }
    }
    assert_eq!(messages(&deployment).await, stored);
}

#[tokio::test]
async fn a_service_is_refused_to_listen_past_its_consumers() {
    let Some(deployment) = Deployment::migrated() else { return };
    for service in SERVICES {
        let mut user = User::connect(&deployment, service).await;
        let others = SERVICES.into_iter().filter(|other| *other != service);
        let inboxes = others.map(|other| format!("{}.>", inbox_prefix(other)));
        let streams = STREAMS.into_iter().map(|stream| stream.subjects.to_owned());
        let all = [">", "_INBOX.>", "$JS.API.>", "*.v1.>"].map(str::to_owned);
        let plans = (service != "alerter").then(|| "plan.v1.*".to_owned());
        for subject in inboxes.chain(streams).chain(all).chain(plans) {
            let _subscriber = user.client.subscribe(subject.clone()).await.unwrap();
            user.client.flush().await.unwrap();
            user.refused(&subject).await;
        }
    }
}

#[tokio::test]
async fn a_service_is_refused_to_change_the_streams() {
    let Some(deployment) = Deployment::migrated() else { return };
    for service in SERVICES {
        let mut user = User::connect(&deployment, service).await;
        for call in
            ["STREAM.DELETE.STORE", "STREAM.PURGE.STORE", "STREAM.CREATE.OTHER", "CONSUMER.DELETE.STORE.alerter-store"]
        {
            let subject = format!("$JS.API.{call}");
            user.client.publish(subject.clone(), "{}".into()).await.unwrap();
            user.client.flush().await.unwrap();
            user.refused(&subject).await;
        }
    }
}

#[tokio::test]
async fn a_stranger_and_a_wrong_password_are_not_let_in() {
    let Some(deployment) = Deployment::empty() else { return };
    let options = || ConnectOptions::new().connection_timeout(Duration::from_secs(5));
    assert!(options().connect(deployment.nats.url()).await.is_err());
    let guess = options().user_and_password("crm-sync".to_owned(), "a-guess".to_owned());
    assert!(guess.connect(deployment.nats.url()).await.is_err());
}

/// `SERVICE` → the variable that the configuration in `deploy` takes its password from.
fn variable(user: &str) -> String {
    format!("WAYBILL_PASSWORD_{}", user.to_uppercase().replace('-', "_"))
}

/// A configuration's words without comments, quotes and commas, which NATS needs none of.
fn normalised(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.replace(['"', ','], " ").split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn the_deployed_configuration_grants_exactly_what_the_topology_does() {
    let path = repository().join("deploy/nats/nats.conf");
    let text = std::fs::read_to_string(&path).unwrap();
    let deployed = text.find("authorization {").map(|at| &text[at..]).expect("an authorization block");
    let expected = topology::authorization(|user| format!("${}", variable(user)));
    assert_eq!(normalised(deployed), normalised(&expected), "{} has drifted from the topology", path.display());
}

#[test]
fn the_deployed_configuration_is_one_that_nats_reads() {
    let Some(server) = Program::NatsServer.find() else { return skip_or_fail("nats-server is not installed") };
    let mut check = Command::new(server);
    check.arg("-t").arg("-c").arg(repository().join("deploy/nats/nats.conf"));
    for user in SERVICES.into_iter().chain(["admin"]) {
        check.env(variable(user), "secret");
    }
    let output = check.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
