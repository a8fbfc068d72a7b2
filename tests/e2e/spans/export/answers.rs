//! What a collector answers, and what becomes of the spans: a plugin and a collector for each answer.

use super::stage::{Plan, Stage};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::time::Duration;
use throughline_dev::accounts::Accounts;
use throughline_dev::mesh::Cluster;
use throughline_dev::receiver::{Behaviour, Receiver};

/// Spans in the one batch that each collector gets.
const SPANS: u64 = 2;

struct Row {
    name: &'static str,
    protocol: &'static str,
    /// The first answer; whatever comes after it is accepted.
    answer: Behaviour,
    /// The answers by their codes, in order.
    codes: &'static [&'static str],
    /// How many spans are not exported in the end, and why.
    failed: Option<(&'static str, u64)>,
    /// How long the second call waits at least.
    waits: Duration,
}

fn rows() -> Vec<Row> {
    let row = |name, protocol, answer, codes: &'static [&'static str]| Row {
        name,
        protocol,
        answer,
        codes,
        failed: None,
        waits: Duration::ZERO,
    };
    let failed = |row: Row, reason, spans| Row {
        failed: Some((reason, spans)),
        ..row
    };
    let asked = |row: Row| Row {
        waits: Duration::from_secs(1),
        ..row
    };
    let http = |code, after: Option<&str>| Behaviour::Status {
        code,
        retry_after: after.map(str::to_owned),
        body: "why".to_owned(),
    };
    let exhausted = |retry_info| Behaviour::GrpcStatus {
        code: 8,
        message: "too much".to_owned(),
        retry_info,
    };
    let partial = || Behaviour::PartialSuccess {
        rejected: 1,
        message: "one is enough".to_owned(),
    };
    vec![
        failed(
            row("partial", "otlp-http", partial(), &["200"]),
            "partial_success",
            1,
        ),
        failed(
            row("partial-grpc", "otlp-grpc", partial(), &["grpc_0"]),
            "partial_success",
            1,
        ),
        row("busy", "otlp-http", http(503, None), &["503", "200"]),
        asked(row(
            "throttled",
            "otlp-http-json",
            http(429, Some("1")),
            &["429", "200"],
        )),
        failed(
            row("refused", "otlp-http", http(400, Some("1")), &["400"]),
            "rejected",
            SPANS,
        ),
        row(
            "unavailable",
            "otlp-grpc",
            Behaviour::grpc_status(14),
            &["grpc_14", "grpc_0"],
        ),
        asked(row(
            "exhausted",
            "otlp-grpc",
            exhausted(Some(Duration::from_secs(1))),
            &["grpc_8", "grpc_0"],
        )),
        failed(
            row(
                "exhausted-for-good",
                "otlp-grpc",
                exhausted(None),
                &["grpc_8"],
            ),
            "rejected",
            SPANS,
        ),
        failed(
            row("garbage", "otlp-http", Behaviour::Garbage, &["200"]),
            "bad_response",
            SPANS,
        ),
        // Envoy answers for a connection that breaks.
        row("reset", "otlp-http", Behaviour::Reset, &["503", "200"]),
    ]
}

pub struct Answers {
    collectors: Vec<(Row, Receiver)>,
}

impl Answers {
    pub fn plan(plan: &mut Plan) -> Result<Self> {
        let (mut collectors, mut plugins) = (Vec::new(), Vec::new());
        for row in rows() {
            let receiver = Receiver::start()?;
            receiver.then([row.answer.clone()]);
            let export = json!({
                "protocol": row.protocol,
                "cluster": row.name,
                "timeout": "30s",
                "batch": {"maxExportBatchSize": SPANS, "scheduleDelay": "60s"},
            });
            plugins.push(plan.plugin(row.name, &export));
            plan.cluster(match row.protocol {
                "otlp-grpc" => Cluster::new(row.name, receiver.grpc()).http2(),
                _ => Cluster::new(row.name, receiver.http()),
            });
            collectors.push((row, receiver));
        }
        plan.listener("answers", &plugins);
        Ok(Self { collectors })
    }

    /// Every plugin sends one batch, all at the same time: some have to wait before they try again.
    pub fn begin(&self, stage: &Stage) -> Result<()> {
        stage.send("answers", usize::try_from(SPANS)?)
    }

    pub fn end(&self, stage: &Stage) -> Result<()> {
        for (row, receiver) in &self.collectors {
            Self::check(stage, row, receiver)
                .with_context(|| format!("{}: {:#?}", row.name, receiver.requests()))?;
        }
        Ok(())
    }

    fn check(stage: &Stage, row: &Row, receiver: &Receiver) -> Result<()> {
        let (reason, failed) = row.failed.unwrap_or_default();
        // Where the first answer was the last, nothing arrived later either: the books would not match.
        receiver.wait_for(SPANS - failed)?;
        let calls = receiver.requests();
        ensure!(
            calls.len() == row.codes.len(),
            "not {} calls",
            row.codes.len()
        );
        ensure!(
            calls.iter().all(|call| call.spans as u64 == SPANS),
            "another batch"
        );
        if let [first, second] = calls.as_slice() {
            let waited = second.at.duration_since(first.at);
            ensure!(waited >= row.waits, "tried again after {waited:?}");
        }
        let mut accounts = Accounts {
            finished: SPANS,
            exported: SPANS - failed,
            ..Accounts::default()
        };
        if failed > 0 {
            accounts.failed.insert(reason.to_owned(), failed);
        }
        for code in row.codes {
            *accounts.calls.entry((*code).to_owned()).or_default() += 1;
        }
        stage.expect(&accounts);
        Ok(())
    }
}
