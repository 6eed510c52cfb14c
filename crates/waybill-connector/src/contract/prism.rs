//! The validating mock server `prism`, which answers from a vendor's own OpenAPI document: 2xx to a correct request,
//! 422 to a wrong one.
//!
//! `WAYBILL_PRISM` is the program (npm `@stoplight/prism-cli`), `WAYBILL_SHARED` the folder whose `specs/` holds the
//! documents. Without them a test says so in one line and ends; with `CI` set it fails.

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// The largest documents take most of a minute to load.
const READY_WITHIN: Duration = Duration::from_secs(180);

/// A running prism. Dropping it ends the process.
pub struct Prism {
    process: Child,
    port: u16,
}

impl Prism {
    /// Starts prism with `specs/<document>` of the shared folder (`pagerduty-events.json`) and waits until it listens.
    /// `None` after a plain line if it is not to be had here.
    ///
    /// # Panics
    /// If something is missing and `CI` is set, or if prism does not listen within three minutes.
    #[expect(clippy::print_stdout, reason = "a skipped test says so")]
    pub fn start(document: &str) -> Option<Self> {
        match located(document) {
            Ok((program, document)) => Some(Self::listening(&program, &document)),
            Err(missing) if variable("CI").is_some() => panic!("{missing}"),
            Err(missing) => {
                println!("skipped: {missing}");
                None
            }
        }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    fn listening(program: &PathBuf, document: &PathBuf) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .expect("a free port on the loopback interface")
            .port();
        let mut process = Command::new(program)
            .args(["mock", "-h", "127.0.0.1", "-p", &port.to_string(), "--errors"])
            .arg(document)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        let output = process.stdout.take().expect("the output is piped");
        let prism = Self { process, port };
        let (tell, lines) = mpsc::channel();
        // Reads to the end, so that prism never waits for a full pipe.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let deadline = Instant::now() + READY_WITHIN;
        let mut seen = String::new();
        while let Ok(line) = lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            if line.contains("is listening on") {
                return prism;
            }
            seen.push_str(&line);
            seen.push('\n');
        }
        panic!("prism does not listen for {}:\n{seen}", document.display());
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn located(document: &str) -> Result<(PathBuf, PathBuf), String> {
    let program = variable("WAYBILL_PRISM").ok_or("WAYBILL_PRISM does not name the program prism")?;
    let shared = variable("WAYBILL_SHARED").ok_or("WAYBILL_SHARED does not name the folder of shared data")?;
    let document = PathBuf::from(shared).join("specs").join(document);
    if !document.is_file() {
        return Err(format!("{} is not there", document.display()));
    }
    Ok((program.into(), document))
}

#[expect(clippy::disallowed_methods, reason = "tests learn from their environment what the machine has")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
