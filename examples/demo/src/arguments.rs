//! The command line.

use crate::backend::Backend;
use crate::bookinfo::Bookinfo;
use crate::bookinfo::Copies;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What `--help` prints.
pub const HELP: &str = "\
Sends one request through Istio's Bookinfo twice, every service behind a real Envoy: first with Envoy's Zipkin tracer
as Istio configures it, then with Throughline. Shows how many traces came of it, and where and why they broke; then the
spans that Throughline exported, also of a request in which a service fails and of one that is denied.

Usage: throughline-demo [--backend NAME] [--json] [--page FILE] [--copies SERVICE=HEADERS]...
   or: make demo, make demo BACKEND=zipkin, make demo JSON=1

  --backend NAME             let Throughline export to a real zipkin or jaeger, show what that gives back, and keep it
                             running until Ctrl-C
  --json                     print one JSON object (examples/demo/README.md describes it) instead of text
  --page FILE                where to write the page; target/demo/trace.html if not said
  --copies SERVICE=HEADERS   change what a service copies onto its calls
                             SERVICE: productpage, details, reviews, ratings
                             HEADERS: b3, b3multi, traceparent, istio (all that Istio's documentation lists), nothing
  -h, --help                 print this

Environment:
  ENVOY=/path/to/envoy       an Envoy of your own, 1.36 or newer with Wasm (V8), instead of the pinned 1.40.0
  THROUGHLINE_MODULE=FILE    another module than target/throughline.wasm
  NO_COLOR=1                 no colours

Exit code: 0 if the request kept one trace id over all hops with Throughline, 1 if not or if something failed,
2 for a wrong command line, 130 if interrupted.
";

/// What is to be done.
#[derive(Debug)]
pub enum Task {
    Help,
    Demo(Options),
    /// To be one of the services, in a process that the demo started.
    Service(Copies),
}

/// How the demo is to be run.
#[derive(Debug)]
pub struct Options {
    pub bookinfo: Bookinfo,
    pub json: bool,
    pub page: PathBuf,
    /// Where the spans go instead of the demo's own receiver.
    pub backend: Option<Backend>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bookinfo: Bookinfo::default(),
            json: false,
            page: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/demo/trace.html"),
            backend: None,
        }
    }
}

/// Reads the arguments after the program's name.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Task> {
    let mut arguments = arguments.into_iter().map(|argument| {
        let text = argument.into_string();
        text.map_err(|argument| anyhow::anyhow!("not text: {}", argument.display()))
    });
    let mut options = Options::default();
    while let Some(argument) = arguments.next().transpose()? {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let mut value = |what: &str| match &value {
            Some(value) => Ok(value.clone()),
            None => {
                let next = arguments.next().transpose()?;
                next.with_context(|| format!("{name} needs {what}"))
            }
        };
        match name {
            "-h" | "--help" => return Ok(Task::Help),
            "--json" => options.json = true,
            "--backend" => options.backend = Some(Backend::find(&value("NAME")?)?),
            "--page" => options.page = value("FILE")?.into(),
            "--copies" => copies(&mut options.bookinfo, &value("SERVICE=HEADERS")?)?,
            "service" => {
                // Its name is there for those who look at the list of processes.
                let headers = arguments.nth(1).transpose()?;
                return Ok(Task::Service(Copies::find(&headers.unwrap_or_default())?));
            }
            _ => bail!("unknown argument {argument:?}"),
        }
    }
    Ok(Task::Demo(options))
}

fn copies(bookinfo: &mut Bookinfo, value: &str) -> Result<()> {
    let (service, headers) = value
        .split_once('=')
        .with_context(|| format!("--copies {value}: not SERVICE=HEADERS"))?;
    bookinfo.copies(service, Copies::find(headers)?)
}

#[cfg(test)]
mod tests {
    use super::{Task, read};
    use crate::bookinfo::Copies;

    fn given(arguments: &[&str]) -> anyhow::Result<Task> {
        read(arguments.iter().map(Into::into))
    }

    #[test]
    fn copies_and_page_can_be_changed() -> anyhow::Result<()> {
        for arguments in [
            &["--copies", "reviews=istio", "--json", "--page", "a=b"] as &[&str],
            &["--copies=reviews=istio", "--json", "--page=a=b"],
        ] {
            let Task::Demo(options) = given(arguments)? else {
                panic!("not the demo");
            };
            assert_eq!(options.bookinfo.service("reviews")?.copies, Copies::Istio);
            assert_eq!(options.bookinfo.service("productpage")?.copies, Copies::B3);
            assert_eq!(
                (options.json, options.page.as_os_str()),
                (true, "a=b".as_ref())
            );
        }
        Ok(())
    }

    #[test]
    fn mistakes_are_named() {
        for (arguments, named) in [
            (&["--jsn"] as &[&str], "--jsn"),
            (&["--page"], "--page needs FILE"),
            (&["--backend", "tempo"], "zipkin, jaeger"),
            (&["--copies"], "SERVICE=HEADERS"),
            (&["--copies", "reviews"], "SERVICE=HEADERS"),
            (
                &["--copies", "stars=b3"],
                "productpage, details, reviews, ratings",
            ),
            (
                &["--copies", "reviews=b4"],
                "b3, b3multi, traceparent, istio, nothing",
            ),
        ] {
            let error = given(arguments).expect_err("a mistake");
            assert!(format!("{error:#}").contains(named), "{error:#}");
        }
    }
}
