//! `response`.

use throughline::policy::response::ResponseSettings;

use crate::{refused, taken};

#[test]
fn mistakes_are_named() {
    refused(&[
        (
            r#"{"response": true}"#,
            "response: expected an object with serverTiming, traceId, got true",
        ),
        (
            r#"{"response": {"serverTimings": true}}"#,
            "response.serverTimings: unknown field, did you mean serverTiming?",
        ),
        (
            r#"{"response": {"serverTiming": "yes"}}"#,
            r#"response.serverTiming: expected true or false, got "yes""#,
        ),
        (
            r#"{"response": {"traceId": true}}"#,
            "response.traceId: expected a string, got true; put it in quotes",
        ),
        (
            r#"{"response": {"traceId": "x trace"}}"#,
            r#"response.traceId: expected a header name, got "x trace""#,
        ),
        (
            r#"{"response": {"traceId": ":status"}}"#,
            "response.traceId: expected a header name",
        ),
        (
            r#"{"response": {"traceId": "Content-Length"}}"#,
            "response.traceId: content-length has a meaning already",
        ),
        (
            r#"{"response": {"traceId": "server-timing"}}"#,
            "response.traceId: server-timing has a meaning already",
        ),
        (
            r#"{"response": {"traceId": "traceresponse"}}"#,
            "response.traceId: traceresponse has a meaning already",
        ),
    ]);
}

#[test]
fn what_is_taken_means() {
    for (section, server_timing, trace_id) in [
        ("{}", false, None),
        (r#"{"serverTiming": false, "traceId": ""}"#, false, None),
        (r#"{"serverTiming": true}"#, true, None),
        (r#"{"traceId": "X-Trace-Id"}"#, false, Some("x-trace-id")),
    ] {
        let expected = ResponseSettings {
            server_timing,
            trace_id: trace_id.map(str::to_owned),
        };
        let config = format!(r#"{{"response": {section}}}"#);
        assert_eq!(taken(&config, &[]).response, expected, "{section}");
    }
}
