//! A cell from its start to its row.

use crate::application::{Built, Running};
use crate::cells::Cell;
use crate::stage::{Filter, Stage};
use crate::verdict::{Exchange, Verdict};
use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use throughline_dev::http::Headers;

/// What a row of the table answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answers {
    /// The application continues what the filter writes: sampled.
    pub in_sampled: Verdict,
    /// Sampled, with the random flag of Level 2 of W3C Trace Context.
    pub in_random: Verdict,
    /// Not sampled.
    pub in_unsampled: Verdict,
    /// The filter continues what the application writes: sampled.
    pub out_sampled: Verdict,
    /// Not sampled.
    pub out_unsampled: Verdict,
}

impl Answers {
    /// In the table's order.
    pub fn columns(&self) -> [Verdict; 5] {
        [
            self.in_sampled,
            self.in_random,
            self.in_unsampled,
            self.out_sampled,
            self.out_unsampled,
        ]
    }
}

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-8a3c60f7d188f8fa79d48a391a778fa6-53995c3f42cd8ad8-00";
const RANDOM: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";

/// Plays it with a filter that only propagates and with one that exports; both must answer the same.
pub fn play(stage: &Stage, cell: &Cell, built: &Built) -> Result<Answers> {
    let mut environment = stage.environment();
    environment.extend(cell.environment.iter().cloned());
    let application = Running::start(built, &environment)?;
    let play = |filter| {
        let player = Player {
            stage,
            cell,
            filter,
            application: &application,
        };
        player
            .play()
            .with_context(|| format!("the filter: {filter:?}"))
            .with_context(|| application.log())
    };
    let (propagates, exports) = (play(Filter::Propagates)?, play(Filter::Exports)?);
    ensure!(
        propagates == exports,
        "a filter that only propagates: {propagates:?}\none that exports: {exports:?}"
    );
    Ok(exports)
}

struct Player<'a> {
    stage: &'a Stage,
    cell: &'a Cell,
    filter: Filter,
    application: &'a Running,
}

impl Player<'_> {
    fn play(&self) -> Result<Answers> {
        let envoy = self.stage.set(self.application, self.cell, self.filter)?;
        let inbound = envoy.listener("inbound")?;
        let known = self.stage.spans().len();
        let unsampled = self.through(inbound, &self.called(UNSAMPLED), false)?;
        let random = self.through(inbound, &self.called(RANDOM), true)?;
        let nothing = Headers::new();
        let started = self.exchange(self.application.address(), &nothing, |exchange| {
            exchange.outbound()
        })?;
        let sampled = match self.cell.caller {
            None => self.through(inbound, &nothing, true)?,
            Some(_) => self.through(inbound, &self.called(SAMPLED), true)?,
        };
        ensure!(
            [random.1, started] == [sampled.1; 2],
            "the filter continues {random:?} and {started:?} otherwise than {sampled:?}"
        );
        // The spans of later requests are here; those of this one would be.
        let spans = self.stage.spans();
        let reported = spans
            .iter()
            .skip(known)
            .find(|span| UNSAMPLED.contains(&span.trace_id));
        ensure!(
            reported.is_none(),
            "not sampled, and reported: {reported:#?}"
        );
        Ok(Answers {
            in_sampled: sampled.0,
            in_random: random.0,
            in_unsampled: unsampled.0,
            out_sampled: sampled.1,
            out_unsampled: match unsampled.0 {
                Verdict::Yes => unsampled.1,
                _ => Verdict::Unasked,
            },
        })
    }

    /// The headers of a caller.
    fn called(&self, traceparent: &str) -> Headers {
        let beside = self.cell.caller.map(|caller| caller(traceparent));
        beside.unwrap_or_default().with("traceparent", traceparent)
    }

    /// Sends a request through the filter to the application; how both continue.
    fn through(
        &self,
        to: SocketAddr,
        headers: &Headers,
        sampled: bool,
    ) -> Result<(Verdict, Verdict)> {
        self.exchange(to, headers, |exchange| {
            Ok((exchange.inbound(sampled)?, exchange.outbound()?))
        })
    }

    fn exchange<T>(
        &self,
        to: SocketAddr,
        headers: &Headers,
        judge: impl Fn(&Exchange<'_>) -> Result<T>,
    ) -> Result<T> {
        let known = self.stage.spans().len();
        let seen = self.stage.send(to, headers)?;
        let exchange = Exchange {
            stage: self.stage,
            cell: self.cell,
            filter: self.filter,
            seen: &seen,
            known,
        };
        judge(&exchange).with_context(|| format!("{seen:?}"))
    }
}
