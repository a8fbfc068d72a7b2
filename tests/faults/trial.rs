//! One fault, for one protocol, on one Envoy: what must hold, and what it measured.

use crate::fault::Fault;
use crate::stage::Stage;
use anyhow::{Context, Result, anyhow, ensure};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use throughline_dev::accounts::Accounts;
use throughline_dev::envoy::Release;
use throughline_dev::poll;
use throughline_dev::receiver::{Protocol, Tally};

/// Load before and after the fault.
const HEALTHY: Duration = Duration::from_secs(3);

/// Longer than the longest back-off that a fault leads to, and than the collector's 30 s.
const RESUMES_WITHIN: Duration = Duration::from_secs(90);

/// A batch is given up after a minute; with these queues there are few to be given up one after the other.
const SETTLES_WITHIN: Duration = Duration::from_secs(300);

/// Beyond the queue and the room that its buffers have to grow: Envoy's own buffers, and what requests leave behind.
const SLACK: u64 = 4 << 20;

/// A stall, as opposed to the noise of a shared machine.
const STALL: Duration = Duration::from_millis(250);
const SLOWER: u32 = 10;
/// Of the median.
const HICCUP: Duration = Duration::from_millis(2);

/// What was measured.
#[derive(Debug)]
pub struct Outcome {
    pub fault: &'static str,
    pub protocol: Protocol,
    /// The requests without the fault, and with it.
    pub service: [Service; 2],
    /// How much Envoy's memory grew over the fault, in bytes.
    pub growth: i64,
    /// How long after the fault's end spans left again.
    pub resumed: Option<Duration>,
    pub accounts: Accounts,
    pub tally: Tally,
}

/// How requests were served.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    pub p50: Duration,
    pub p99: Duration,
    /// Envoy's CPU for one of them, its span's way out included.
    pub cpu: Duration,
}

impl Outcome {
    /// What is wrong with how requests were served, if anything is.
    pub fn stall(&self) -> Option<String> {
        let [without, with] = self.service;
        let is_slow = with.p99 > without.p99 * SLOWER + STALL
            || with.p50 > without.p50 * 2 + HICCUP
            || with.cpu > without.cpu * 2;
        is_slow.then(|| format!("requests suffered: {with:?} instead of {without:?}"))
    }
}

/// Plays it, and fails when anything does not hold, the latency aside, which [`Outcome::stall`] judges.
pub fn play(release: Release, module: &Path, fault: &Fault, protocol: Protocol) -> Result<Outcome> {
    let stage = Stage::start(release, module, fault, protocol)?;
    let trial = Trial {
        stage: &stage,
        fault,
        protocol,
    };
    trial.play().map_err(|error| {
        let (accounts, tally, log) = (
            stage.accounts(),
            stage.receiver.tally(),
            stage.envoy.log_tail(15),
        );
        anyhow!("{error:#}\n{accounts:?}\n{tally:?}\nthe end of Envoy's log:\n{log}")
    })
}

struct Trial<'a> {
    stage: &'a Stage,
    fault: &'a Fault,
    protocol: Protocol,
}

impl Trial<'_> {
    fn play(&self) -> Result<Outcome> {
        let mut requests = 0;
        let mut reference = None;
        if !self.fault.from_the_start {
            let (sent, healthy) = self.healthy()?;
            requests += sent;
            reference = Some(healthy);
        }
        let before = self.stage.memory()?;
        let (sent, faulty) = self.faulty()?;
        requests += sent;
        self.check_told()?;
        let growth = i64::try_from(self.stage.memory()?)? - i64::try_from(before)?;
        let mut resumed = None;
        if self.fault.ends {
            let (after, needed) = self.resumes()?;
            let (sent, healthy) = self.healthy()?;
            requests += needed + sent;
            (resumed, reference) = (Some(after), Some(healthy));
        }
        let reference = reference
            .context("nothing to compare with: it is there from the start and never ends")?;

        let accounts = Accounts::settled(&self.stage.envoy, requests, SETTLES_WITHIN)?;
        let outcome = Outcome {
            fault: self.fault.name,
            protocol: self.protocol,
            service: [reference, faulty],
            growth,
            resumed,
            accounts,
            tally: self.stage.receiver.tally(),
        };
        self.check(&outcome)?;
        Ok(outcome)
    }

    /// Load with a collector that is well. Returns how many requests, as the next.
    fn healthy(&self) -> Result<(u64, Service)> {
        self.serve(HEALTHY, || Ok(())).context("without the fault")
    }

    /// Load while the fault begins, if it has not yet, and lasts.
    fn faulty(&self) -> Result<(u64, Service)> {
        let time = Duration::from_secs(self.fault.load.0);
        let begin = || {
            if self.fault.from_the_start {
                return Ok(());
            }
            let calls = || self.stage.receiver.tally().calls;
            let before = calls();
            poll::until("a call before the fault", || {
                Ok((calls() > before).then_some(()))
            })?;
            self.stage.break_it(self.protocol)
        };
        self.serve(time, begin).context("with the fault")
    }

    /// Load for so long, while `meanwhile` happens.
    fn serve(
        &self,
        time: Duration,
        meanwhile: impl FnOnce() -> Result<()>,
    ) -> Result<(u64, Service)> {
        let per_second = self.fault.load.1;
        let before = self.stage.cpu()?;
        let report = std::thread::scope(|scope| {
            let load = scope.spawn(|| self.stage.load(time, per_second));
            meanwhile()?;
            load.join().expect("a load does not panic")
        })?;
        ensure!(report.all_ok(), "{report}");
        let cpu = self.stage.cpu()?.saturating_sub(before);
        let service = Service {
            p50: report.latency(50.0),
            p99: report.latency(99.0),
            cpu: cpu / u32::try_from(report.answers())?,
        };
        Ok((report.answers(), service))
    }

    /// The gauge says that the export does not work, if it should.
    fn check_told(&self) -> Result<()> {
        match self.fault.is_told {
            true => poll::until("the gauge to say that spans do not arrive", || {
                Ok(self.stage.accounts()?.unreachable.then_some(()))
            }),
            false => {
                ensure!(
                    !self.stage.accounts()?.unreachable,
                    "the gauge says that spans do not arrive"
                );
                Ok(())
            }
        }
    }

    /// Ends the fault, and waits until spans are exported again and the gauge says so. Returns how long that took, and
    /// how many requests it needed: none, as long as there are spans that wait.
    fn resumes(&self) -> Result<(Duration, u64)> {
        let exported = self.stage.accounts()?.exported;
        self.stage.mend()?;
        let (mended, mut requests) = (Instant::now(), 0);
        poll::until_within(RESUMES_WITHIN, "the export to resume", || {
            let accounts = self.stage.accounts()?;
            if accounts.exported > exported && !accounts.unreachable {
                return Ok(Some((mended.elapsed(), requests)));
            }
            if accounts.on_the_way() == 0 && accounts.exported == exported {
                let status = self.stage.request()?;
                ensure!(status == 200, "{status}");
                requests += 1;
            }
            Ok(None)
        })
    }

    fn check(&self, outcome: &Outcome) -> Result<()> {
        let Outcome {
            accounts, tally, ..
        } = outcome;
        let most = i64::try_from(2 * self.stage.queue_bytes + SLACK)?;
        ensure!(
            outcome.growth <= most,
            "Envoy grew by {} bytes",
            outcome.growth
        );
        self.check_losses(accounts)?;
        // What a collector took without being able to say so is sent again, and counted once.
        let taken = tally.accepted - tally.repeated;
        let failed = accounts
            .failed
            .get("retries_exhausted")
            .copied()
            .unwrap_or(0);
        ensure!(
            (accounts.exported..=accounts.exported + failed).contains(&taken),
            "{} exported, {taken} taken",
            accounts.exported
        );
        ensure!(
            accounts.unreachable != self.fault.ends,
            "the gauge is wrong in the end"
        );
        let invalid = self.stage.receiver.invalid();
        ensure!(invalid.is_empty(), "{invalid:#?}");
        self.stage.envoy.check_alive()
    }

    fn check_losses(&self, accounts: &Accounts) -> Result<()> {
        let mut lost = BTreeMap::new();
        for (outcome, reasons) in [("dropped", &accounts.dropped), ("failed", &accounts.failed)] {
            lost.extend(
                reasons
                    .iter()
                    .map(|(reason, count)| ((outcome, &**reason), *count)),
            );
        }
        let reasons: Vec<_> = lost.keys().copied().collect();
        ensure!(
            reasons == self.fault.lost,
            "lost {lost:?}, but only {:?} should be",
            self.fault.lost
        );
        Ok(())
    }
}
