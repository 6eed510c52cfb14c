//! A private server does not outlive the process that started it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use waybill_testkit::{Launch, Program, children_of, find_program, is_alive, missing_programs, skip_or_fail, wait_for};

const DEADLINE: Duration = Duration::from_secs(20);

fn start_servers() -> anyhow::Result<(Child, Value)> {
    let mut parent =
        Command::new(env!("CARGO_BIN_EXE_private-servers")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(parent.stdout.take().expect("piped")).read_line(&mut line)?;
    Ok((parent, serde_json::from_str(&line)?))
}

fn pid(servers: &Value, name: &str) -> u32 {
    let pid = servers[name].as_u64().expect("a process id");
    u32::try_from(pid).expect("a process id")
}

fn wait_until_gone(processes: &[u32]) {
    assert!(processes.iter().all(|pid| *pid > 1));
    wait_for("every process to be gone", DEADLINE, || (!processes.iter().any(|pid| is_alive(*pid))).then_some(()));
}

#[test]
fn a_killed_parent_leaves_no_server_behind() -> anyhow::Result<()> {
    if !missing_programs().is_empty() {
        skip_or_fail("servers are not installed; cargo xtask test installs them");
        return Ok(());
    }
    let (mut parent, servers) = start_servers()?;
    let postgres = pid(&servers, "postgres_pid");
    let mut all = children_of(postgres);
    assert!(all.len() > 2, "PostgreSQL has processes of its own");
    all.extend([postgres, pid(&servers, "nats_pid")]);
    assert!(all.iter().all(|pid| is_alive(*pid)));

    parent.kill()?;
    parent.wait()?;

    wait_until_gone(&all);
    Ok(())
}

#[test]
fn a_parent_that_ends_takes_its_servers_and_their_folder_along() -> anyhow::Result<()> {
    if !missing_programs().is_empty() {
        skip_or_fail("servers are not installed; cargo xtask test installs them");
        return Ok(());
    }
    let (mut parent, servers) = start_servers()?;
    drop(parent.stdin.take());
    assert!(parent.wait()?.success());

    wait_until_gone(&[pid(&servers, "postgres_pid"), pid(&servers, "nats_pid")]);
    let folder = servers["folder"].as_str().expect("a folder");
    assert!(!std::path::Path::new(folder).exists());
    Ok(())
}

#[test]
fn a_child_survives_the_thread_that_asked_for_it() -> anyhow::Result<()> {
    if Program::Setpriv.find().is_none() {
        skip_or_fail("setpriv is not installed");
        return Ok(());
    }
    let sleep = find_program("sleep").expect("coreutils are everywhere");
    let asked = std::thread::spawn(move || {
        let child = Launch::new(sleep).arg("60").spawn()?;
        // Only once it runs has the death signal been asked for.
        let name = format!("/proc/{}/comm", child.pid());
        wait_for("the child to run", DEADLINE, || {
            (std::fs::read_to_string(&name).ok()?.trim() == "sleep").then_some(())
        });
        anyhow::Ok(child)
    });
    let mut child = asked.join().expect("the thread ends well")?;

    // The signal would come as the thread ends; a second child started later has had its turn.
    let later = find_program("true").expect("coreutils are everywhere");
    assert!(Launch::new(later).spawn()?.wait()?.success());
    assert!(child.exit_status().is_none());
    child.stop()
}
