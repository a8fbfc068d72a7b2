//! A row for each way to end that a request alone can bring about.

use crate::spans::exchange::Exchange;
use crate::spans::hop::Hop;
use crate::spans::mesh::Mesh;
use anyhow::{Context, Result, ensure};
use throughline_dev::http::Request;
use throughline_dev::receiver::{Code, Kind, Span};

struct Ending {
    path: &'static str,
    /// Of the answer that Envoy began; the client may have got less of it.
    status: &'static str,
    flags: &'static str,
    /// How Envoy's reason begins; empty where the span has none.
    details: &'static str,
    /// `error.type` of a server span and of a client span.
    errors: [&'static str; 2],
    /// How often the request was sent again.
    resent: &'static str,
    /// Whether there was an upstream, which is what makes a client span at a gateway.
    upstream: bool,
}

const fn sent_on(path: &'static str, status: &'static str) -> Ending {
    Ending {
        path,
        status,
        flags: "-",
        details: "",
        errors: ["", ""],
        resent: "",
        upstream: true,
    }
}

const fn answered_here(path: &'static str, status: &'static str) -> Ending {
    Ending {
        upstream: false,
        ..sent_on(path, status)
    }
}

impl Ending {
    const fn flags(self, flags: &'static str) -> Self {
        Self { flags, ..self }
    }

    const fn because(self, details: &'static str) -> Self {
        Self { details, ..self }
    }

    const fn error(self, of_server: &'static str, of_client: &'static str) -> Self {
        Self {
            errors: [of_server, of_client],
            ..self
        }
    }

    const fn resent(self, times: &'static str) -> Self {
        Self {
            resent: times,
            ..self
        }
    }
}

const BEFORE: &str = "upstream_reset_before_response_started{";
const AFTER: &str = "upstream_reset_after_response_started{";

const ENDINGS: [Ending; 25] = [
    sent_on("/up/ok", "200"),
    sent_on("/up/404", "404")
        .because("via_upstream")
        .error("", "404"),
    sent_on("/up/500", "500")
        .because("via_upstream")
        .error("500", "500"),
    // No host, no connection, no room, no cluster, no route.
    answered_here("/no-host/x", "503")
        .flags("UH")
        .because("no_healthy_upstream")
        .error("503", "503"),
    sent_on("/refused/x", "503")
        .flags("UF")
        .because(BEFORE)
        .error("503", "503"),
    answered_here("/overflow/x", "503")
        .flags("UO")
        .because(BEFORE)
        .error("503", "503"),
    answered_here("/no-cluster/x", "503")
        .flags("NC")
        .because("cluster_not_found")
        .error("503", "503"),
    answered_here("/nowhere", "404")
        .flags("NR")
        .because("route_not_found")
        .error("", "404"),
    // Envoy's own answers.
    answered_here("/direct/200", "200"),
    answered_here("/direct/418", "418")
        .because("direct_response")
        .error("", "418"),
    // The upstream goes away: before it answers, within its answer, by a reset; or talks nonsense.
    sent_on("/up/hangs-up", "503")
        .flags("UC")
        .because(BEFORE)
        .error("503", "503"),
    sent_on("/up/ends-early", "200")
        .flags("UPE")
        .because(AFTER)
        .error("UpstreamProtocolError", "UpstreamProtocolError"),
    sent_on("/up/nonsense", "502")
        .flags("UPE")
        .because(BEFORE)
        .error("502", "502"),
    sent_on("/bookinfo.Reviews/Reset", "503")
        .flags("UR")
        .because(BEFORE)
        .error("503", "503"),
    // The upstream takes too long: for the route, for one try, for a stream that idles, for any stream.
    sent_on("/timeout/never", "504")
        .flags("UT")
        .because("response_timeout")
        .error("504", "504"),
    sent_on("/try-timeout/never", "504")
        .flags("URX,UT")
        .because("upstream_per_try_timeout")
        .error("504", "504")
        .resent("1"),
    sent_on("/idle/never", "504")
        .flags("SI")
        .because("stream_idle_timeout")
        .error("504", "504"),
    sent_on("/duration/never", "504")
        .because("max_duration_timeout")
        .error("504", "504"),
    // Retries that helped, and that did not.
    sent_on("/retried/once", "200").resent("1"),
    sent_on("/retried/500", "500")
        .flags("URX")
        .because("via_upstream")
        .error("500", "500")
        .resent("2"),
    sent_on("/retried/hangs-up", "503")
        .flags("UC,URX")
        .because(BEFORE)
        .error("503", "503")
        .resent("2"),
    // Answers without a body, and one that another comes before.
    sent_on("/up/204", "204"),
    sent_on("/up/304", "304"),
    sent_on("/up/early-hints", "200"),
    sent_on("/up/301", "301"),
];

pub fn all(mesh: &Mesh) -> Result<()> {
    for hop in Hop::ALL {
        let mut sent = Vec::new();
        for ending in &ENDINGS {
            let request = Request::get(ending.path).header(
                "traceparent",
                "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01",
            );
            let (mut client, mut one) = mesh.begin(hop, request)?;
            // An answer may break off, which is what some of these are about.
            one.answer = client.receive("GET").ok();
            sent.push(one);
        }
        for (ending, sent) in ENDINGS.iter().zip(sent) {
            let count = 1 + u64::from(hop.is_both() && ending.upstream);
            let exchange = mesh.left(sent, count)?;
            for span in exchange.spans() {
                as_expected(span, ending, &exchange).with_context(|| {
                    format!("{}\n{:#}\n{span}", exchange.described(), exchange.log)
                })?;
            }
        }
    }
    Ok(())
}

fn as_expected(span: &Span, ending: &Ending, exchange: &Exchange) -> Result<()> {
    let [of_server, of_client] = ending.errors;
    let error = if span.kind == Kind::Server {
        of_server
    } else {
        of_client
    };
    let code = if error.is_empty() {
        Code::Unset
    } else {
        Code::Error
    };
    let resent = if span.kind == Kind::Client {
        ending.resent
    } else {
        ""
    };
    // That Envoy's access log says so too was checked already.
    let mut flags: Vec<_> = span
        .attribute("response_flags")
        .split(',')
        .map(str::to_owned)
        .collect();
    flags.sort_unstable();
    let details = span.attribute("response_code_details");
    ensure!(
        span.attribute("http.response.status_code") == ending.status,
        "another status"
    );
    ensure!(
        flags.join(",") == ending.flags,
        "other flags than {}",
        ending.flags
    );
    ensure!(
        details.starts_with(ending.details) && details.is_empty() == ending.details.is_empty(),
        "details: {details:?}, not {:?}",
        ending.details
    );
    ensure!(
        span.attribute("error.type") == error && span.status.code == code,
        "not the error {error:?}"
    );
    ensure!(
        span.attribute("http.request.resend_count") == resent,
        "not resent {resent:?} times"
    );
    let answer = exchange.sent.answer.as_ref();
    ensure!(
        answer.is_none_or(|answer| answer.status.to_string() == ending.status),
        "another answer: {answer:?}"
    );
    Ok(())
}
