//! The demo's page in a real browser: what it shows is what was traced, wide and narrow, light and dark.

mod browser;

use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine};
use browser::Browser;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const WIDTHS: [u32; 3] = [1280, 800, 400];
const SCHEMES: [&str; 2] = ["light", "dark"];

/// A page that the demo made, what it made it from, and a browser.
struct Stage {
    browser: Browser,
    found: Value,
    page: PathBuf,
    _directory: TempDir,
}

impl Stage {
    fn new() -> Result<Self> {
        let directory = TempDir::new()?;
        let page = directory.path().join("trace.html");
        let demo = Command::new(env!("CARGO_BIN_EXE_throughline-demo"))
            .args(["--json", "--page"])
            .arg(&page)
            .stdin(Stdio::null())
            .output()?;
        assert!(
            demo.status.success(),
            "{}",
            String::from_utf8_lossy(&demo.stderr)
        );
        Ok(Self {
            browser: Browser::start()?,
            found: serde_json::from_slice(&demo.stdout)?,
            page,
            _directory: directory,
        })
    }

    fn open(&self, width: u32, scheme: &str) -> Result<()> {
        let url = format!("file://{}", self.page.display());
        self.browser.open(&url, width, scheme)
    }

    /// Each span with its trace's start and duration, in the order of the page.
    fn spans(&self) -> Vec<(Value, u64, u64)> {
        let mut all = Vec::new();
        for request in list(&self.found["requests"]) {
            for trace in list(&request["traces"]) {
                let spans = list(&trace["spans"]);
                let start = spans
                    .iter()
                    .map(|span| time(span, "startTimeUnixNano"))
                    .min();
                let end = spans.iter().map(|span| time(span, "endTimeUnixNano")).max();
                let (start, end) = (start.unwrap_or_default(), end.unwrap_or_default());
                all.extend(spans.iter().map(|span| (span.clone(), start, end - start)));
            }
        }
        all
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn time(span: &Value, key: &str) -> u64 {
    span[key]
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

#[test]
fn the_page_shows_what_was_traced() -> Result<()> {
    let stage = Stage::new()?;
    needs_nothing_else(&stage)?;
    for width in WIDTHS {
        for scheme in SCHEMES {
            stage.open(width, scheme)?;
            fits(&stage, width)?;
            can_be_read(&stage, scheme)?;
            bars_are_where_their_spans_were(&stage)?;
            graph_can_be_read(&stage)?;
        }
        rows_open_to_attributes(&stage)?;
        fits(&stage, width)?;
        can_be_read(&stage, "dark")?;
    }
    graph_has_the_calls_of_bookinfo(&stage)?;
    is_named_for_those_who_do_not_see_it(&stage)?;
    assert_eq!(stage.browser.console()?, json!([]));
    take_picture(&stage)
}

/// No script, no font, no picture, no request but the one for the file itself.
fn needs_nothing_else(stage: &Stage) -> Result<()> {
    stage.open(1280, "light")?;
    let more = stage.browser.run(
        "return [performance.getEntriesByType('resource').length,
                 document.querySelectorAll('script, link, [src], object, iframe').length]",
    )?;
    assert_eq!(more, json!([0, 0]));
    Ok(())
}

/// Nothing is wider than the window.
fn fits(stage: &Stage, width: u32) -> Result<()> {
    let wide = stage.browser.run(
        "return [...document.querySelectorAll('body *')]
            .filter(element => !element.closest('.unseen') && element.getBoundingClientRect().right > innerWidth + 1)
            .map(element => element.outerHTML.slice(0, 80))",
    )?;
    assert_eq!(wide, json!([]), "at {width}");
    let small = stage.browser.run(
        "return [...document.querySelectorAll('summary, nav li')]
            .map(element => element.getBoundingClientRect().height).filter(height => height < 24)",
    )?;
    assert_eq!(
        small,
        json!([]),
        "at {width}: too low to be hit with a finger"
    );
    Ok(())
}

/// WCAG's contrast of text, level AA.
fn can_be_read(stage: &Stage, scheme: &str) -> Result<()> {
    let poor = stage.browser.run(
        r"const parts = color => color.match(/[\d.]+/g).map(Number);
          const luminance = color => {
              const [r, g, b] = parts(color).map(c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
              return .2126 * r + .7152 * g + .0722 * b;
          };
          const contrast = (a, b) => {
              const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
              return (high + .05) / (low + .05);
          };
          const behind = element => {
              const rect = element.closest('.node')?.querySelector('rect');
              if (rect) return getComputedStyle(rect).fill;
              for (; element; element = element.parentElement) {
                  const color = getComputedStyle(element).backgroundColor;
                  if (parts(color)[3] !== 0) return color;
              }
          };
          const own = element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
          return [...document.querySelectorAll('body *')]
              .filter(element => own(element) && element.localName !== 'title')
              .map(element => {
                  const style = getComputedStyle(element);
                  const color = element.namespaceURI.endsWith('svg') ? style.fill : style.color;
                  return [element.outerHTML.slice(0, 80), contrast(color, behind(element))];
              })
              .filter(([, contrast]) => !(contrast >= 4.5))",
    )?;
    assert_eq!(poor, json!([]), "{scheme}");
    Ok(())
}

fn bars_are_where_their_spans_were(stage: &Stage) -> Result<()> {
    let places = stage.browser.run(
        "return [...document.querySelectorAll('.track')].map(track => {
            const [around, bar] = [track, track.firstChild].map(element => element.getBoundingClientRect());
            return [around.width, bar.left - around.left, bar.width];
        })",
    )?;
    let spans = stage.spans();
    assert_eq!(list(&places).len(), spans.len());
    for (place, (span, start, duration)) in list(&places).iter().zip(spans) {
        let pixels = |index: usize| place[index].as_f64().unwrap_or_default();
        let whole = pixels(0);
        assert!(whole >= 100.0, "a track of {whole} pixels");
        let expected = |ns: u64| ns as f64 / duration as f64 * whole;
        let from = time(&span, "startTimeUnixNano");
        let length = time(&span, "endTimeUnixNano") - from;
        assert!(
            (pixels(1) - expected(from - start)).abs() < 1.0,
            "{place} {span}"
        );
        // The shortest can still be seen.
        assert!(
            (pixels(2) - expected(length).max(3.0)).abs() < 1.0,
            "{place} {span}"
        );
    }
    Ok(())
}

/// Texts are inside of their boxes, and large enough; none is behind a box.
fn graph_can_be_read(stage: &Stage) -> Result<()> {
    let bad = stage.browser.run(
        "const box = element => element.getBoundingClientRect();
         const nodes = [...document.querySelectorAll('.node')];
         const outside = nodes.flatMap(node => {
             const around = box(node.querySelector('rect'));
             return [...node.querySelectorAll('text')].filter(text => {
                 const {left, right, top, bottom, height} = box(text);
                 return left < around.left || right > around.right || top < around.top || bottom > around.bottom || height < 10;
             });
         });
         const behind = [...document.querySelectorAll('.edge text')].filter(text => nodes.some(node => {
             const [a, b] = [box(text), box(node)];
             return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
         }));
         return [...outside, ...behind].map(element => element.outerHTML)",
    )?;
    assert_eq!(bad, json!([]));
    Ok(())
}

/// By mouse and by keyboard.
fn rows_open_to_attributes(stage: &Stage) -> Result<()> {
    let (summaries, tables) = (
        stage.browser.find("summary")?,
        stage.browser.find(".tables")?,
    );
    let spans = stage.spans();
    assert_eq!((summaries.len(), tables.len()), (spans.len(), spans.len()));
    for (number, (summary, (table, (span, _, _)))) in
        summaries.iter().zip(tables.iter().zip(spans)).enumerate()
    {
        assert!(!table.shows()?);
        match number % 2 {
            0 => summary.click()?,
            _ => summary.press("\u{e007}")?, // Enter
        }
        assert!(table.shows()?);
        let text = table.text()?;
        for of in ["attributes", "resource"] {
            let fields = span[of].as_object().context("no fields")?;
            assert!(!fields.is_empty());
            for (key, value) in fields {
                let line = format!("{key} {}", value.as_str().unwrap_or_default());
                assert!(
                    text.lines().any(|found| found == line),
                    "{line:?} is not in {text}"
                );
            }
        }
    }
    Ok(())
}

fn graph_has_the_calls_of_bookinfo(stage: &Stage) -> Result<()> {
    let texts = |selector| -> Result<Vec<String>> {
        stage
            .browser
            .find(selector)?
            .iter()
            .map(|element| element.text())
            .collect()
    };
    // Three requests reach productpage, two the others; one is denied there, one rating fails.
    assert_eq!(
        texts(".calls tbody th")?,
        [
            "istio-ingressgateway.istio-system → productpage.bookinfo",
            "productpage.bookinfo → details.bookinfo",
            "productpage.bookinfo → reviews.bookinfo",
            "reviews.bookinfo → ratings.bookinfo",
        ]
    );
    assert_eq!(
        texts(".edge text")?,
        ["3 calls, ✗ 1", "2 calls", "2 calls", "2 calls, ✗ 1"]
    );
    let nodes = texts(".node text:first-of-type")?;
    assert_eq!(
        nodes,
        [
            "istio-ingressgateway",
            "productpage",
            "details",
            "reviews",
            "ratings"
        ]
    );
    Ok(())
}

fn is_named_for_those_who_do_not_see_it(stage: &Stage) -> Result<()> {
    for (summary, (span, _, _)) in stage.browser.find("summary")?.iter().zip(stage.spans()) {
        let label = summary.label()?;
        let service = span["service"]
            .as_str()
            .unwrap_or_default()
            .split('.')
            .next()
            .unwrap_or_default();
        let status = span["attributes"]["http.response.status_code"]
            .as_str()
            .unwrap_or_default();
        for part in [
            service,
            span["kind"].as_str().unwrap_or_default(),
            status,
            "ms",
            "level",
        ] {
            assert!(label.contains(part), "{part:?} is not in {label:?}");
        }
    }
    let labels = |selector| -> Result<Vec<String>> {
        stage
            .browser
            .find(selector)?
            .iter()
            .map(|element| element.label())
            .collect()
    };
    assert_eq!(
        labels("svg")?,
        ["Service graph; the table has the same calls"]
    );
    assert!(
        labels("section, nav")?
            .iter()
            .all(|label| !label.is_empty())
    );
    Ok(())
}

/// What the README shows of it, to be compared by people.
fn take_picture(stage: &Stage) -> Result<()> {
    stage.open(1120, "light")?;
    let bottom = stage.browser.run(
        "document.querySelectorAll('#request-1, #request-3, header p, nav').forEach(element => element.remove());
         return document.querySelector('main').getBoundingClientRect().bottom",
    )?;
    let picture = stage
        .browser
        .picture(1120, bottom.as_f64().unwrap_or_default() as u32 + 24)?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/demo/trace.png");
    std::fs::create_dir_all(path.parent().context("no directory")?)?;
    std::fs::write(path, BASE64_STANDARD.decode(picture)?)?;
    Ok(())
}
