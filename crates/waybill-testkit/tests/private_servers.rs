//! The private servers, as tests use them.

use std::time::Duration;

use waybill_testkit::{
    Launch, PlainNats, PrivateNats, ScratchFolder, TestDatabase, TestServers, find_program, missing_programs,
    skip_or_fail, wait_for,
};

const WITHIN: Duration = Duration::from_secs(10);
/// Nodes choose a leader within about 9 s.
const CLUSTER_WITHIN: Duration = Duration::from_secs(40);

const STREAM: &str = r#"{"name":"ORDERS","subjects":["orders.>"],"storage":"file"}"#;

#[test]
fn a_restart_keeps_what_jetstream_stored_and_a_wipe_does_not() -> anyhow::Result<()> {
    let Some(mut servers) = TestServers::start() else {
        return Ok(());
    };
    let nats = &mut servers.nats;
    let mut client = PlainNats::connect(nats, "{}", WITHIN)?;
    let created = client.request("$JS.API.STREAM.CREATE.ORDERS", STREAM)?;
    assert!(created["error"].is_null(), "{created}");
    assert_eq!(client.request("orders.1", "paid")?["seq"], 1);
    let (port, first_pid) = (nats.port(), nats.pid());

    nats.restart()?;
    assert_eq!(nats.port(), port);
    assert_ne!(nats.pid(), first_pid);
    let mut client = PlainNats::connect(nats, "{}", WITHIN)?;
    assert_eq!(client.request("orders.2", "paid")?["seq"], 2);

    nats.kill();
    assert!(nats.wipe_store().is_ok());
    nats.restart()?;
    let mut client = PlainNats::connect(nats, "{}", WITHIN)?;
    let streams = client.request("$JS.API.STREAM.NAMES", "")?;
    assert_eq!(streams["total"], 0, "{streams}");
    Ok(())
}

#[test]
fn a_running_server_is_not_wiped() -> anyhow::Result<()> {
    let Some(mut servers) = TestServers::start() else {
        return Ok(());
    };
    assert!(servers.nats.wipe_store().is_err());
    Ok(())
}

#[test]
fn extra_configuration_limits_who_may_publish_what() -> anyhow::Result<()> {
    let users = r#"authorization { users: [
        { user: shop, password: secret, permissions: { publish: ["$JS.API.>"], subscribe: "inbox" } }
    ] }"#;
    let Some(servers) = TestServers::start_with(Some(users)) else {
        return Ok(());
    };
    let login = r#"{"user":"shop","pass":"secret","verbose":false}"#;
    let mut client = PlainNats::connect(&servers.nats, login, WITHIN)?;
    let created = client.request("$JS.API.STREAM.CREATE.ORDERS", STREAM)?;
    assert!(created["error"].is_null(), "{created}");
    let refused = client.request("orders.1", "paid").unwrap_err();
    assert!(refused.to_string().contains("Permissions Violation"), "{refused}");
    let mut stranger = PlainNats::connect(&servers.nats, "{}", WITHIN)?;
    assert!(stranger.request("$JS.API.INFO", "").is_err());
    Ok(())
}

#[test]
fn two_tests_side_by_side_share_nothing() -> anyhow::Result<()> {
    let (Some(one), Some(other)) = (TestServers::start(), TestServers::start()) else {
        return Ok(());
    };
    assert_ne!(one.nats.url(), other.nats.url());
    assert_ne!(one.nats.monitoring_url(), other.nats.monitoring_url());
    one.database.url().run("create table sold (sku text)")?;
    let seen = "select count(*) from pg_tables where tablename = 'sold'";
    assert_eq!(one.database.url().run(seen)?, "1");
    assert_eq!(other.database.url().run(seen)?, "0");
    Ok(())
}

#[test]
fn a_killed_postgres_comes_back_with_what_was_committed() -> anyhow::Result<()> {
    let Some(mut database) = TestDatabase::in_own_cluster() else {
        return Ok(());
    };
    let url = database.url().clone();
    url.run("create table sold (sku text); insert into sold values ('TEE-M')")?;
    let cluster = database.cluster().expect("its own");
    let port = cluster.port();

    cluster.kill();
    cluster.restart()?;

    assert_eq!(cluster.port(), port);
    assert_eq!(url.run("select sku from sold")?, "TEE-M");
    assert_eq!(url.run("show fsync")?, "on");
    Ok(())
}

#[test]
fn a_wrong_password_is_refused() -> anyhow::Result<()> {
    let Some(database) = TestDatabase::in_own_cluster() else {
        return Ok(());
    };
    let url = database.url();
    url.run("create role shop login password 'right'")?;
    assert_eq!(url.with_user("shop", "right").run("select 1")?, "1");
    let refused = url.with_user("shop", "wrong").run("select 1").unwrap_err();
    assert!(refused.to_string().contains("password"), "{refused}");
    Ok(())
}

#[test]
fn a_server_that_cannot_start_shows_its_log() -> anyhow::Result<()> {
    if waybill_testkit::Program::NatsServer.find().is_none() {
        waybill_testkit::skip_or_fail("nats-server is not installed");
        return Ok(());
    }
    let folder = ScratchFolder::new("broken")?;
    let error = PrivateNats::start(folder.path(), Some("no_such_setting: {")).unwrap_err();
    assert!(format!("{error:#}").contains("Parse error"), "{error:#}");
    Ok(())
}

#[test]
fn a_process_that_will_not_stop_is_killed() -> anyhow::Result<()> {
    let folder = ScratchFolder::new("stubborn")?;
    let shell = find_program("sh").expect("a shell");
    let log = folder.path().join("log");
    let mut stubborn = Launch::new(shell)
        .args(["-c", "trap '' TERM; echo ready; while :; do read -r line </dev/zero; done"])
        .log(&log)
        .stop_within(Duration::from_millis(200))
        .spawn()?;
    stubborn.wait_until_ready(Duration::from_secs(10), || {
        std::fs::read_to_string(&log).ok()?.contains("ready").then_some(())
    })?;
    assert!(stubborn.stop().is_err(), "it says that it had to kill");
    assert!(stubborn.exit_status().is_some());
    Ok(())
}

#[test]
fn three_nodes_keep_a_stream_of_three_copies_when_its_leader_is_killed() -> anyhow::Result<()> {
    if !missing_programs().is_empty() {
        skip_or_fail("nats-server is not installed; cargo xtask test installs it");
        return Ok(());
    }
    let folder = ScratchFolder::new("cluster")?;
    let mut nodes = PrivateNats::start_nodes(folder.path(), 3, None)?;
    let ask = |node: &PrivateNats, subject: &str, body: &str| {
        let answer = PlainNats::connect(node, "{}", Duration::from_secs(2)).ok()?.request(subject, body).ok()?;
        answer["error"].is_null().then_some(answer)
    };
    let stream = STREAM.replace('}', r#","num_replicas":3}"#);
    let created = || ask(&nodes[0], "$JS.API.STREAM.CREATE.ORDERS", &stream);
    let created = wait_for("a stream of three copies", CLUSTER_WITHIN, created);
    let leader = created["cluster"]["leader"].as_str().unwrap_or_default().to_owned();
    let leader = nodes.iter().position(|node| node.name() == leader).expect("one of the nodes leads");
    nodes[leader].kill();
    let other = &nodes[(leader + 1) % 3];
    let said = || ask(other, "orders.1", "paid").filter(|answer| answer["seq"] == 1);
    wait_for("a message to be kept without it", CLUSTER_WITHIN, said);
    Ok(())
}
