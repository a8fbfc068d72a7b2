//! What comes along with the module: its bill of materials, and the licences of what is in the bill.

use anyhow::{Context, Result, bail};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A CycloneDX document of what is linked into the module, with the time `created`.
pub fn sbom(root: &Path, created: u64) -> Result<Vec<u8>> {
    let mut script = script(root, "dev/sbom.py");
    script.env("SOURCE_DATE_EPOCH", created.to_string());
    output(script, b"").context("no bill of materials")
}

/// The licences of what `sbom` lists.
pub fn notices(root: &Path, sbom: &[u8]) -> Result<Vec<u8>> {
    output(script(root, "dev/notices.py"), sbom).context("no licences of others")
}

fn script(root: &Path, path: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg(root.join(path));
    command
}

/// What a script writes when it is given `input`. Its complaints are for the user.
fn output(mut script: Command, input: &[u8]) -> Result<Vec<u8>> {
    let mut child = script
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("python3")?;
    // Closed at the end of the statement. A script that ended before it read all says why itself.
    let written = child.stdin.take().context("no input")?.write_all(input);
    let answer = child.wait_with_output()?;
    if !answer.status.success() {
        bail!("the reason is above");
    }
    written?;
    Ok(answer.stdout)
}
