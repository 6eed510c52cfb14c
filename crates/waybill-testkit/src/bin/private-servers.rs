//! Starts a private NATS and PostgreSQL, prints one line of JSON with their addresses and process
//! ids, and keeps them until its standard input closes. They cannot outlive it.

use std::io::{Read as _, Write as _};

use waybill_testkit::{PrivateNats, PrivatePostgres, ScratchFolder};

fn main() -> anyhow::Result<()> {
    let folder = ScratchFolder::new("servers")?;
    let nats = PrivateNats::start(folder.path().join("nats"), None)?;
    let postgres = PrivatePostgres::start(folder.path().join("postgres"))?;
    let line = serde_json::json!({
        "nats_url": nats.url(),
        "nats_pid": nats.pid(),
        "database_url": postgres.url().expose(),
        "postgres_pid": postgres.pid(),
        "folder": folder.path(),
    });
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
