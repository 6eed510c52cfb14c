//! What the machine allows: the two bounds that `cargo xtask bench` holds the receiver against.
//!
//! - `serve`: the same HTTP server, which reads a body, checks its signature and answers 200. Nothing is kept.
//! - `insert`: the same bodies into a table that has nothing but them, so many at a time as connections would have under
//!   way, in groups, each committed as durably as the server is set up to. No HTTP.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use connector_shopify::webhook::{self, Verifier};
use futures::StreamExt as _;
use secrecy::SecretString;
use sqlx::PgPool;
use waybill_runtime::database;

/// As the inbox: one group is gathered while another commits.
const WRITERS: usize = 2;
/// A few thousand are enough: they are told apart by their ids alone.
const BODIES: usize = 4096;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", address, secret] => serve(address, secret).await,
        ["insert", url, bodies, seconds, at_once] => {
            insert(url, Path::new(bodies), seconds.parse()?, at_once.parse()?).await
        }
        _ => anyhow::bail!("usage: ingest_limits serve ADDRESS SECRET | insert DATABASE_URL BODIES SECONDS AT_ONCE"),
    }
}

async fn serve(address: &str, secret: &str) -> anyhow::Result<()> {
    let secrets: Arc<[SecretString]> = Arc::new([secret.to_owned().into()]);
    let router = Router::new().route("/webhooks/{store}", post(receive)).with_state(secrets);
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, router).await?;
    Ok(())
}

async fn receive(State(secrets): State<Arc<[SecretString]>>, headers: HeaderMap, body: Body) -> StatusCode {
    let Some(signature) = webhook::signature(&headers) else { return StatusCode::UNAUTHORIZED };
    let mut verifier = Verifier::new(&secrets);
    let mut stream = body.into_data_stream();
    while let Some(chunk) = stream.next().await {
        let Ok(chunk) = chunk else { return StatusCode::BAD_REQUEST };
        verifier.update(&chunk);
    }
    if verifier.finish(signature) { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
}

async fn insert(url: &str, bodies: &Path, seconds: f64, at_once: usize) -> anyhow::Result<()> {
    let writers_count = WRITERS.min(at_once);
    let group = at_once / writers_count;
    let pool = database::pool(url, u32::try_from(WRITERS)?)?;
    // Compressed as the inbox is.
    sqlx::query("create table limit_of_inserts (id bigint generated always as identity primary key, body bytea compression lz4)")
        .execute(&pool)
        .await?;
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let bodies = Arc::new(read(bodies.to_owned())?);
    let started = Instant::now();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..writers_count {
        writers.spawn(write(pool.clone(), Arc::clone(&bodies), writer, group, until));
    }
    let mut written = 0;
    while let Some(count) = writers.join_next().await {
        written += count??;
    }
    let rate = written as f64 / started.elapsed().as_secs_f64();
    sqlx::query("drop table limit_of_inserts").execute(&pool).await?;
    writeln!(std::io::stdout(), "{rate}")?;
    Ok(())
}

fn read(file: PathBuf) -> anyhow::Result<Vec<Vec<u8>>> {
    let lines = BufReader::new(std::fs::File::open(&file).with_context(|| file.display().to_string())?).lines();
    lines.take(BODIES).map(|line| Ok(line?.split_once(' ').context("a line without an id")?.1.into())).collect()
}

async fn write(
    pool: PgPool,
    bodies: Arc<Vec<Vec<u8>>>,
    writer: usize,
    group: usize,
    until: Instant,
) -> sqlx::Result<usize> {
    let mut connection = pool.acquire().await?;
    let mut written = 0;
    for group in bodies.chunks(group).cycle().skip(writer) {
        if Instant::now() >= until {
            break;
        }
        sqlx::query("insert into limit_of_inserts (body) select * from unnest($1::bytea[])")
            .bind(group)
            .execute(&mut *connection)
            .await?;
        written += group.len();
    }
    Ok(written)
}
