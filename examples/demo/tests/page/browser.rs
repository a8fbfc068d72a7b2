//! A headless chromium, driven over WebDriver (W3C).

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::fs::File;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use tempfile::TempDir;
use throughline_dev::http::{Client, Request};
use throughline_dev::poll;
use throughline_dev::process::OwnedChild;

/// How WebDriver names the reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window. Dropping it ends it.
pub struct Browser {
    client: std::cell::RefCell<Client>,
    session: String,
    // Ended with its browser before the directory of both goes.
    _driver: OwnedChild,
    _directory: TempDir,
}

impl Browser {
    /// Starts one.
    pub fn start() -> Result<Self> {
        let directory = TempDir::new()?;
        let log = directory.path().join("log");
        let mut command = Command::new("chromedriver");
        command
            .arg("--port=0")
            .env("TMPDIR", directory.path())
            .stdout(File::create(&log)?)
            .stderr(Stdio::null());
        let driver = OwnedChild::spawn(command).context("dev/browser.sh installs it")?;
        let port: u16 = poll::until("chromedriver's port", || {
            let text = std::fs::read_to_string(&log)?;
            let port = text.split("on port ").last();
            let port = port.and_then(|port| port.trim_end().strip_suffix('.'));
            Ok(port.and_then(|port| port.parse().ok()))
        })?;
        let mut client = Client::connect(SocketAddr::from(([127, 0, 0, 1], port)))?;
        // Its sandbox needs rights that containers lack; it loads nothing but our page.
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let answer = ask(&mut client, "POST", "/session", &wanted)?;
        let session = answer["sessionId"].as_str().context("no session")?;
        Ok(Self {
            session: session.to_owned(),
            client: client.into(),
            _driver: driver,
            _directory: directory,
        })
    }

    /// Makes the window so wide, in that colour scheme, and opens a page.
    pub fn open(&self, url: &str, width: u32, scheme: &str) -> Result<()> {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size)?;
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &scheme)?;
        self.post("url", &json!({"url": url}))?;
        Ok(())
    }

    /// What the body of a function returns in the page.
    pub fn run(&self, script: &str) -> Result<Value> {
        self.post("execute/sync", &json!({"script": script, "args": []}))
    }

    /// The elements of a CSS selector.
    pub fn find(&self, selector: &str) -> Result<Vec<Element<'_>>> {
        let found = self.post(
            "elements",
            &json!({"using": "css selector", "value": selector}),
        )?;
        let id = |element: &Value| Element {
            browser: self,
            id: element[ELEMENT].as_str().unwrap_or_default().to_owned(),
        };
        Ok(found
            .as_array()
            .context("no elements")?
            .iter()
            .map(id)
            .collect())
    }

    /// What the page said in the browser's console.
    pub fn console(&self) -> Result<Value> {
        self.post("se/log", &json!({"type": "browser"}))
    }

    /// A picture of the page's top, as PNG in base64.
    pub fn picture(&self, width: u32, height: u32) -> Result<String> {
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        let answer = self.devtools(
            "Page.captureScreenshot",
            &json!({"clip": clip, "captureBeyondViewport": true}),
        )?;
        Ok(answer["data"].as_str().context("no picture")?.to_owned())
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Result<Value> {
        self.post(
            "goog/cdp/execute",
            &json!({"cmd": command, "params": parameters}),
        )
    }

    fn post(&self, what: &str, body: &Value) -> Result<Value> {
        let path = format!("/session/{}/{what}", self.session);
        ask(&mut self.client.borrow_mut(), "POST", &path, body)
    }

    fn get(&self, what: &str) -> Result<Value> {
        let path = format!("/session/{}/{what}", self.session);
        ask(&mut self.client.borrow_mut(), "GET", &path, &Value::Null)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver would leave its browser behind.
        let path = format!("/session/{}", self.session);
        let _ = ask(self.client.get_mut(), "DELETE", &path, &Value::Null);
    }
}

/// An element of the page.
pub struct Element<'a> {
    browser: &'a Browser,
    id: String,
}

impl Element<'_> {
    /// Clicks on it as a user does.
    pub fn click(&self) -> Result<()> {
        self.browser
            .post(&format!("element/{}/click", self.id), &json!({}))?;
        Ok(())
    }

    /// Types into it.
    pub fn press(&self, keys: &str) -> Result<()> {
        self.browser.post(
            &format!("element/{}/value", self.id),
            &json!({"text": keys}),
        )?;
        Ok(())
    }

    /// Its text as it is to be seen.
    pub fn text(&self) -> Result<String> {
        let text = self.browser.get(&format!("element/{}/text", self.id))?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// The name that a screen reader says.
    pub fn label(&self) -> Result<String> {
        let label = self
            .browser
            .get(&format!("element/{}/computedlabel", self.id))?;
        Ok(label.as_str().unwrap_or_default().to_owned())
    }

    /// Whether it is to be seen.
    pub fn shows(&self) -> Result<bool> {
        Ok(self
            .browser
            .get(&format!("element/{}/displayed", self.id))?
            == true)
    }
}

fn ask(client: &mut Client, method: &str, path: &str, body: &Value) -> Result<Value> {
    let mut request = Request::new(method, path);
    if !body.is_null() {
        request.body = body.to_string().into_bytes();
        request = request.header("content-type", "application/json");
    }
    let answer = client
        .send(&request)
        .with_context(|| format!("{method} {path}"))?;
    let mut value: Value = serde_json::from_slice(&answer.body)?;
    if answer.status != 200 {
        bail!(
            "{method} {path}: {} {}",
            answer.status,
            value["value"]["message"]
        );
    }
    Ok(value["value"].take())
}
