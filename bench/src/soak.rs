//! A minute at full speed, every request sampled, the default queue: is any span lost?

use crate::contender::{Contender, LISTENER, Modules};
use anyhow::{Context, Result, ensure};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;
use throughline_dev::accounts::Accounts;
use throughline_dev::load::{Bound, Load, Report};
use throughline_dev::receiver::{Behaviour, Receiver, Tally};
use throughline_dev::usage;

/// Far longer than the last batches take.
const PATIENCE: Duration = Duration::from_secs(90);

/// A rate and a collector that a busy sidecar meets, beside the highest rate and an immediate one.
const PACED: u32 = 10_000;
const DELAY: Duration = Duration::from_millis(50);

/// One minute, or as long as asked for.
#[derive(Debug)]
pub struct Soak {
    name: String,
    collector: String,
    report: Report,
    accounts: Accounts,
    tally: Tally,
    /// Envoy's CPU time over the time of the load.
    cores: f64,
    /// Envoy's resident memory before, and its peak, in bytes.
    memory: (u64, u64),
}

/// All exports at full speed, and one at a steady rate to a collector that takes its time.
pub fn all(modules: &Modules, binary: &Path, time: Duration) -> Result<Vec<Soak>> {
    let full_speed = Load::new(Bound::Time(time));
    let paced = full_speed.clone().per_second(PACED);
    let mut soaks = Vec::new();
    for export in modules.exports() {
        soaks.push(soak(&export, binary, &full_speed, Duration::ZERO)?);
        soaks.push(soak(&export, binary, &paced, DELAY)?);
    }
    Ok(soaks)
}

fn soak(contender: &Contender, binary: &Path, load: &Load, delay: Duration) -> Result<Soak> {
    let receiver = Receiver::start()?.counting_only();
    let collector = match delay.is_zero() {
        true => "at once".to_owned(),
        false => {
            receiver.behave(Behaviour::AcceptAfter(delay));
            format!("after {} ms", delay.as_millis())
        }
    };
    let envoy = contender.proxy(&receiver, None).start(binary)?;
    let before = (usage::cpu(envoy.id())?, usage::memory(envoy.id())?.resident);
    eprintln!("{}, answered {collector} …", contender.name);
    let report = load.run(envoy.listener(LISTENER)?)?;
    eprintln!("  {report}");
    let cpu = usage::cpu(envoy.id())? - before.0;
    ensure!(report.all_ok(), "{}: {report}", contender.name);
    ensure!(
        delay.is_zero() || report.rate() >= 0.98 * f64::from(PACED),
        "{}: this machine reaches {:.0} requests/s, which proves nothing",
        contender.name,
        report.rate()
    );
    let accounts = Accounts::settled(&envoy, report.answers(), PATIENCE).context(contender.name)?;
    Ok(Soak {
        name: contender.name.to_owned(),
        collector,
        cores: cpu.as_secs_f64() / report.elapsed.as_secs_f64(),
        report,
        accounts,
        tally: receiver.tally(),
        memory: (before.1, usage::memory(envoy.id())?.peak),
    })
}

impl Soak {
    /// Finished, and not at the receiver.
    pub fn lost(&self) -> i128 {
        i128::from(self.accounts.finished) - i128::from(self.tally.accepted)
            + i128::from(self.tally.repeated)
    }
}

/// As Markdown.
pub fn table(soaks: &[Soak]) -> String {
    let mut text = "| in Envoy | the collector answers | requests/s | Envoy's cores | spans finished | exported | \
                    dropped | failed | received | lost | memory before, peak, MB |\n\
                    |---|---|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for soak in soaks {
        let (accounts, megabytes) = (&soak.accounts, |bytes: u64| bytes as f64 / 1e6);
        let _ = writeln!(
            text,
            "| {} | {} | {:.0} | {:.2} | {} | {} | {} | {} | {} | **{}** | {:.0}, {:.0} |",
            soak.name,
            soak.collector,
            soak.report.rate(),
            soak.cores,
            accounts.finished,
            accounts.exported,
            accounts.dropped(),
            accounts.failed(),
            soak.tally.accepted - soak.tally.repeated,
            soak.lost(),
            megabytes(soak.memory.0),
            megabytes(soak.memory.1),
        );
    }
    text
}
