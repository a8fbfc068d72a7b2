//! Real Envoys in each state: what the doctor finds from the admin's address, from files, and from standard input.
//! `RECORD=1` writes what the admin said to tests/dumps, where dumps.rs reads it.

use crate::program::{Run, doctor, doctor_reading};
use crate::shape::{Kind, Severity};
use crate::stage::{COLLECTOR, Stage, sampled, send, to};
use crate::states::{self, State};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::env;
use std::fs;
use std::path::Path;
use throughline_dev::envoy::{Envoy, Release, chosen_binary};

#[test]
fn every_state_is_told_apart_on_the_newest_envoy() -> Result<()> {
    each(Release::NEWEST, |_| true)
}

#[test]
fn the_states_that_no_statistic_shows_are_told_apart_on_the_oldest_envoy() -> Result<()> {
    each(Release::OLDEST, |state| {
        matches!(
            state.name,
            "healthy"
                | "module-ended"
                | "config-missing"
                | "config-refused"
                | "module-broken"
                | "plain-and-bare"
        )
    })
}

fn each(release: Release, chosen: impl Fn(&State) -> bool) -> Result<()> {
    let binary = chosen_binary(release)?;
    let mut failures = Vec::new();
    for state in states::ALL.iter().filter(|state| chosen(state)) {
        match check(state, &binary) {
            Ok(pages) if release == Release::NEWEST && env::var_os("RECORD").is_some() => {
                pages.record(state)?;
            }
            Ok(_) => {}
            Err(error) => failures.push(format!("{}: {error:#}", state.name)),
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n\n"));
    Ok(())
}

fn check(state: &State, binary: &Path) -> Result<Pages> {
    let stage = Stage::new()?;
    let envoy = (state.start)(&stage, binary)?;
    let admin = format!("http://{}", envoy.admin());
    let live = doctor(&["--json", &admin])?;
    expect(&live, state.expected)?;
    expect_words(&doctor(&[&admin])?, state)?;

    let pages = Pages::take(&envoy)?;
    let directory = tempfile::TempDir::new()?;
    pages.write(directory.path())?;
    let file = |name: &str| directory.path().join(name).display().to_string();
    let (dump, clusters, stats, log) = (
        file("config_dump.json"),
        file("clusters.json"),
        file("stats.txt"),
        file("envoy.log"),
    );

    // In whatever order, and with the log's word.
    expect(
        &doctor(&["--json", &stats, &dump, &clusters])?,
        state.expected,
    )?;
    let mut expected: Vec<&str> = state.log_adds.to_vec();
    expected.extend(state.expected);
    expect(
        &doctor(&["--json", &dump, &stats, &clusters, "--log", &log])?,
        &expected,
    )?;

    // The other spellings say the same, but that names do not show whether labels are labels.
    let plain = directory.path().join("stats-plain.txt");
    fs::write(&plain, envoy.get("/stats")?)?;
    let hosts = directory.path().join("clusters.txt");
    fs::write(&hosts, envoy.get("/clusters")?)?;
    let (plain, hosts) = (plain.display().to_string(), hosts.display().to_string());
    let input = pages.dump.as_bytes();
    expect(
        &doctor_reading(&["--json", "-", &plain, &hosts], input)?,
        state.expected,
    )?;

    // Without statistics, nothing is said that only they show.
    let alone = doctor_reading(&["--json", "-"], input)?.report()?;
    let shown_by_statistics = [
        "not-running",
        "requests-missed",
        "collector-unreachable",
        "spans-dropped",
        "spans-failed",
        "headers-rejected",
        "formats-conflict",
        "no-traffic",
    ];
    ensure!(
        !alone
            .codes()
            .iter()
            .any(|code| shown_by_statistics.contains(code)),
        "{alone:#?}"
    );
    Ok(pages)
}

fn expect(run: &Run, expected: &[&str]) -> Result<()> {
    let report = run.report()?;
    ensure!(
        report.codes() == expected,
        "found {:?}, not {expected:?}: {run:#?}",
        report.codes()
    );
    let ill = report
        .findings
        .iter()
        .any(|finding| finding.severity != Severity::Note);
    ensure!(
        run.code == i32::from(ill) && report.healthy == Some(!ill) && run.err.is_empty(),
        "{run:?}"
    );
    Ok(())
}

/// The text has every finding too, and no line that a terminal would break.
fn expect_words(run: &Run, state: &State) -> Result<()> {
    let findings = run.out.lines().filter(|line| {
        ["ERROR: ", "WARNING: ", "note: "]
            .iter()
            .any(|label| line.starts_with(label))
    });
    ensure!(findings.count() == state.expected.len(), "{run:#?}");
    Ok(())
}

/// What the admin of an Envoy says.
struct Pages {
    dump: String,
    clusters: String,
    stats: String,
    log: String,
    /// Directories whose names are of one run only.
    directories: Vec<String>,
}

impl Pages {
    fn take(envoy: &Envoy) -> Result<Self> {
        let module = throughline_dev::built::module()?;
        let of_module = module.parent().context("a module without a directory")?;
        Ok(Self {
            dump: envoy.get("/config_dump?include_eds")?,
            clusters: envoy.get("/clusters?format=json")?,
            stats: envoy.get("/stats/prometheus")?,
            log: envoy.log(),
            directories: vec![
                envoy.directory().display().to_string(),
                of_module.display().to_string(),
            ],
        })
    }

    fn write(&self, directory: &Path) -> Result<()> {
        fs::create_dir_all(directory)?;
        for (name, text) in [
            ("config_dump.json", &self.dump),
            ("clusters.json", &self.clusters),
            ("stats.txt", &self.stats),
            ("envoy.log", &self.log),
        ] {
            fs::write(directory.join(name), text)?;
        }
        Ok(())
    }

    /// Without what is of this run alone or of no use: the list of every extension, other statistics, most of the log.
    fn record(&self, state: &State) -> Result<()> {
        const MATTERS: [&str; 2] = ["throughline_", "downstream_rq_total"];
        let mut dump: Value = serde_json::from_str(&self.dump)?;
        for config in dump["configs"].as_array_mut().context("configs")? {
            if let Some(node) = config
                .pointer_mut("/bootstrap/node")
                .and_then(Value::as_object_mut)
            {
                node.remove("extensions");
            }
        }
        let lines = |text: &str, matters: &[&str]| -> String {
            let matters = |line: &&str| matters.iter().any(|word| line.contains(word));
            let kept = text.lines().filter(matters);
            let kept = kept.filter(|line| !line.contains("update_duration"));
            kept.map(|line| format!("{line}\n")).collect()
        };
        let mut pages = Self {
            dump: serde_json::to_string(&dump)? + "\n",
            clusters: self.clusters.clone(),
            stats: lines(&self.stats, &MATTERS),
            log: lines(&self.log, &["throughline"]),
            directories: Vec::new(),
        };
        let temporary = env::temp_dir().display().to_string();
        for text in [
            &mut pages.dump,
            &mut pages.clusters,
            &mut pages.stats,
            &mut pages.log,
        ] {
            for directory in &self.directories {
                *text = text.replace(directory, "/etc/envoy");
            }
            *text = text.replace(&temporary, "/etc/envoy");
        }
        pages.write(
            &Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/dumps")
                .join(state.name),
        )
    }
}

#[test]
fn two_readings_are_compared_by_what_came_between_them() -> Result<()> {
    let stage = Stage::new()?;
    let bad = stage.configured(&serde_json::json!({"samplng": {}}));
    let envoy = stage
        .sidecar(Some(&bad))?
        .start(&chosen_binary(Release::NEWEST)?)?;
    // Missed, but long ago.
    send(&envoy, 20, &sampled())?;
    stage.plugin(&to(COLLECTOR)).reload(&envoy)?;
    let directory = tempfile::TempDir::new()?;
    let file = |name: &str| directory.path().join(name).display().to_string();
    let (first, second, dump) = (file("first"), file("second"), file("dump"));
    fs::write(&first, envoy.prometheus()?)?;
    send(&envoy, 20, &sampled())?;
    fs::write(&second, envoy.prometheus()?)?;
    fs::write(&dump, envoy.get("/config_dump")?)?;

    expect(&doctor(&["--json", &dump, &second])?, &["requests-missed"])?;
    let both = doctor(&["--json", &dump, &first, &second])?;
    expect(&both, &[])?;
    let requests = both.report()?.requests.context("requests")?;
    ensure!(
        (requests.by_envoy, requests.by_filter) == (40, 40),
        "{requests:?}"
    );

    // The same, of the admin; nobody sends meanwhile.
    let admin = format!("http://{}/", envoy.admin());
    let run = doctor(&["--json", "--for", "1", &admin])?;
    expect(&run, &["no-traffic"])
}

#[test]
fn one_page_of_the_admin_is_a_source_too() -> Result<()> {
    let stage = Stage::new()?;
    let envoy = stage
        .sidecar(Some(&stage.plugin(&to(COLLECTOR))))?
        .start(&chosen_binary(Release::NEWEST)?)?;
    let admin = format!("http://{}", envoy.admin());
    let (dump, stats) = (format!("{admin}/config_dump"), format!("{admin}/stats"));
    let run = doctor(&["--json", &dump, &stats])?;
    expect(&run, &["no-traffic"])?;
    let report = run.report()?;
    ensure!(
        report.proxy.kind == Kind::Sidecar && report.filter.version.is_some(),
        "{report:?}"
    );
    Ok(())
}
