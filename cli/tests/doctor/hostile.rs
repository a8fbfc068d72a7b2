//! What is no dump of an Envoy: one line that names it, exit code 2, in bounded time and memory.

use crate::program::{doctor, doctor_reading};
use anyhow::{Context, Result, ensure};
use std::io::Write as _;
use std::path::Path;
use throughline_dev::http::{Response, Server};
use throughline_dev::refused::Refused;

const DUMP: &str = include_str!("../dumps/healthy/config_dump.json");

/// What is on standard input, and a part of what is said of it.
fn table() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let half = DUMP.get(..DUMP.len() / 2).unwrap_or_default();
    let deep = "[".repeat(100_000);
    let deep_dump = format!(
        r#"{{"configs":[{{"@type":"x.ListenersConfigDump","static_listeners":{}"#,
        "[".repeat(10_000)
    );
    let listener = |text: &str| {
        format!(
            r#"{{"configs":[{{"@type":"x.ListenersConfigDump","static_listeners":[{{"listener":{text}}}]}}]}}"#
        )
    };
    vec![
        ("nothing", b"".to_vec(), "is empty"),
        ("spaces", b" \n\t".to_vec(), "is empty"),
        (
            "gzip",
            [b"\x1f\x8b\x08\0".to_vec(), vec![0; 64]].concat(),
            "gunzip",
        ),
        ("not text", vec![0xff; 4096], "is not text"),
        ("zeros", vec![0; 4096], "expected a config dump"),
        ("words", b"hello".to_vec(), "expected a config dump"),
        (
            "a page",
            b"<html><body>404</body></html>".to_vec(),
            "expected a config dump",
        ),
        ("YAML", b"configs:\n- a: b\n".to_vec(), "-o json"),
        (
            "a log",
            b"[2026-11-21 10:00:00.000][1][info] x".to_vec(),
            "--log",
        ),
        (
            "Istio's log",
            b"2026-11-21T10:00:00Z info x".to_vec(),
            "expected a config dump",
        ),
        ("cut off", half.as_bytes().to_vec(), "cut off"),
        ("twice", [DUMP, DUMP].concat().into_bytes(), "more follows"),
        ("no quotes", b"{configs: []}".to_vec(), "not JSON"),
        (
            "another object",
            br#"{"hello": 1}"#.to_vec(),
            "neither configs",
        ),
        ("another list", b"[1, 2]".to_vec(), "neither listeners"),
        ("an empty list", b"[]".to_vec(), "neither listeners"),
        ("a list of lists", b"[[[]]]".to_vec(), "neither listeners"),
        (
            "configs is text",
            br#"{"configs": "x"}"#.to_vec(),
            "configs",
        ),
        (
            "a config is a number",
            br#"{"configs": [1]}"#.to_vec(),
            "configs[0]",
        ),
        (
            "no configs",
            br#"{"configs": []}"#.to_vec(),
            "has Envoy's listeners",
        ),
        (
            "clusters alone",
            br#"{"cluster_statuses": []}"#.to_vec(),
            "has Envoy's listeners",
        ),
        ("ECDS alone", b"{}".to_vec(), "has Envoy's listeners"),
        (
            "statistics alone",
            b"http.a.downstream_rq_total: 1\n".to_vec(),
            "has Envoy's listeners",
        ),
        (
            "a name that is a number",
            listener(r#"{"name": 1}"#).into_bytes(),
            "static_listeners[0].listener: name",
        ),
        (
            "chains that are text",
            listener(r#"{"filter_chains": "x"}"#).into_bytes(),
            "filter_chains",
        ),
        (
            "both spellings",
            listener(r#"{"filter_chains": [], "filterChains": []}"#).into_bytes(),
            "duplicate",
        ),
        ("deep", deep.into_bytes(), "standard input"),
        ("deep inside", deep_dump.into_bytes(), "standard input"),
        (
            "escapes for the terminal",
            b"\x1b[2J\x1b]0;title\x07: 1\n".to_vec(),
            "expected a config dump",
        ),
    ]
}

#[test]
fn what_is_no_dump_gives_one_line_that_says_so() -> Result<()> {
    for (what, input, said) in table() {
        let run = doctor_reading(&["-"], &input)?;
        ensure!(run.code == 2 && run.out.is_empty(), "{what}: {run:?}");
        ensure!(
            run.err.contains(said) && run.err.lines().count() == 1,
            "{what}: {run:?}"
        );
        ensure!(
            run.err.len() < 4096 && !run.err.contains('\u{1b}'),
            "{what}: {run:?}"
        );
    }
    Ok(())
}

#[test]
fn names_with_escapes_do_not_reach_the_terminal() -> Result<()> {
    let dump = r#"{"configs":[{"@type":"x.ListenersConfigDump","static_listeners":[{"listener":{"name":"\u001b[2Jx\n","filter_chains":[{"filters":[{"typed_config":{"@type":"x.HttpConnectionManager"}}]}]}}]}]}"#;
    let run = doctor_reading(&["-"], dump.as_bytes())?;
    ensure!(run.code == 1 && !run.out.contains('\u{1b}'), "{run:?}");
    Ok(())
}

#[test]
fn files_that_cannot_be_read_are_named() -> Result<()> {
    let directory = tempfile::TempDir::new()?;
    let directory = directory.path().display().to_string();
    for (arguments, said) in [
        (vec!["/no/such/file"], "/no/such/file: cannot be read"),
        (vec![directory.as_str()], "cannot be read"),
        (
            vec!["-", "--log", "/no/such/log"],
            "/no/such/log: cannot be read",
        ),
    ] {
        let run = doctor_reading(&arguments, DUMP.as_bytes())?;
        ensure!(run.code == 2 && run.err.contains(said), "{run:?}");
    }
    Ok(())
}

#[test]
fn what_never_ends_is_given_up() -> Result<()> {
    let run = doctor(&["/dev/zero"])?;
    ensure!(
        run.code == 2 && run.err.contains("more than 256 MiB"),
        "{run:?}"
    );
    Ok(())
}

#[test]
fn wrong_command_lines_say_what_is_wrong() -> Result<()> {
    for (arguments, said) in [
        (vec![], "SOURCE"),
        (vec!["--jsn", "-"], "--json"),
        (vec!["--for", "5", "-"], "--for needs the address"),
        (vec!["--for", "0", "http://localhost:1"], "1..=600"),
        (vec!["--for", "x", "http://localhost:1"], "invalid"),
        (vec!["https://localhost:15000"], "not https"),
        (vec!["http://"], "no host"),
        (
            vec!["127.0.0.1:25405"],
            "of Envoy's admin? Write http://127.0.0.1:25405",
        ),
        (
            vec!["localhost:15000/config_dump"],
            "of Envoy's admin? Write http://localhost:15000/config_dump",
        ),
    ] {
        let run = doctor(&arguments)?;
        ensure!(
            run.code == 2 && run.out.is_empty() && run.err.contains(said),
            "{arguments:?}: {run:?}"
        );
    }
    let help = doctor(&["--help"])?;
    ensure!(help.code == 0, "{help:?}");
    for word in [
        "SOURCE",
        "--log",
        "--for",
        "--json",
        "pilot-agent",
        "istioctl",
        "Exit code",
    ] {
        ensure!(help.out.contains(word), "{word}: {help:?}");
    }
    Ok(())
}

#[test]
fn two_proxies_at_once_are_refused() -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dumps/healthy/config_dump.json");
    let file = file.display().to_string();
    let run = doctor(&[&file, &file])?;
    ensure!(
        run.code == 2 && run.err.contains("one proxy at a time"),
        "{run:?}"
    );
    Ok(())
}

#[test]
fn an_admin_that_is_none_is_told() -> Result<()> {
    let refused = Refused::take()?;
    let elsewhere = Server::start(|_| Response::new(302).header("location", "http://192.0.2.1/"))?;
    let missing = Server::start(|_| Response::new(404))?;
    let page = Server::start(|_| Response::ok("<html>"))?;
    for (address, said) in [
        (refused.address(), "kubectl port-forward"),
        (elsewhere.address(), "302"),
        (missing.address(), "404"),
        (page.address(), "expected a config dump"),
    ] {
        let run = doctor(&[format!("http://{address}")])?;
        ensure!(
            run.code == 2 && run.err.contains(said) && run.err.lines().count() == 1,
            "{run:?}"
        );
    }
    Ok(())
}

#[test]
fn an_answer_that_breaks_off_or_never_ends_is_told() -> Result<()> {
    let breaks = Server::start(|_| {
        Response::instead(|mut stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nabc");
        })
    })?;
    let run = doctor(&[format!("http://{}", breaks.address())])?;
    ensure!(run.code == 2 && run.err.lines().count() == 1, "{run:?}");

    let endless = Server::start(|_| {
        Response::instead(|mut stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            let block = vec![b'a'; 1 << 20];
            while stream.write_all(&block).is_ok() {}
        })
    })?;
    let run = doctor(&[format!("http://{}", endless.address())])?;
    ensure!(
        run.code == 2 && run.err.lines().count() == 1 && run.err.len() < 1024,
        "{}",
        run.err
    );
    Ok(())
}

#[test]
fn nobody_reading_is_no_failure_of_its_own() -> Result<()> {
    // A pipe whose reader has gone: `throughline doctor … | head -1`.
    let healthy = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dumps/healthy");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_throughline"))
        .args(["doctor", "--json"])
        .arg(healthy.join("config_dump.json"))
        .arg(healthy.join("stats.txt"))
        .stdout(std::process::Stdio::piped())
        .spawn()?;
    drop(child.stdout.take().context("standard output")?);
    let code = child.wait()?.code();
    ensure!(code == Some(0), "{code:?}");
    Ok(())
}
