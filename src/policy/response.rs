//! What the caller learns of the trace from the response.

/// `response`, compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseSettings {
    /// Whether `Server-Timing` tells browsers the trace and the hop's span.
    pub server_timing: bool,
    /// The header that carries the trace id, lower case.
    pub trace_id: Option<String>,
}

impl ResponseSettings {
    pub const fn says_anything(&self) -> bool {
        self.server_timing || self.trace_id.is_some()
    }
}

/// The fields of `server-timing` that came from further in as one, with `traceparent` as the last of its metrics: one that
/// stands there already is of a hop further in, and a browser would not know which to take.
pub fn server_timing<'a>(came: impl Iterator<Item = &'a [u8]>, traceparent: &[u8]) -> Vec<u8> {
    let mut list = Vec::new();
    for field in came {
        list.extend(metrics(field).filter(|metric| !is_traceparent(metric)));
    }
    let ours = [b"traceparent;desc=\"", traceparent, b"\""].concat();
    list.push(&ours);
    list.join(b", ".as_slice())
}

fn is_traceparent(metric: &[u8]) -> bool {
    let name = metric.split(|byte| *byte == b';').next();
    name.is_some_and(|name| name.trim_ascii().eq_ignore_ascii_case(b"traceparent"))
}

/// The members of the list; a comma inside quotes parts nothing (RFC 9110 §5.6.4).
fn metrics(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    list.split(move |byte| {
        let parts = *byte == b',' && !quoted;
        quoted ^= *byte == b'"' && !escaped;
        escaped = quoted && *byte == b'\\' && !escaped;
        parts
    })
    .map(<[u8]>::trim_ascii)
    .filter(|metric| !metric.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_hop_is_the_one_that_is_told() {
        for (came, expected, why) in [
            (&[] as &[&str], r#"traceparent;desc="T""#, "alone"),
            (&[""], r#"traceparent;desc="T""#, "an empty list"),
            (
                &["db;dur=53, app"],
                r#"db;dur=53, app, traceparent;desc="T""#,
                "beside others",
            ),
            (
                &["db;dur=53", "app", ""],
                r#"db;dur=53, app, traceparent;desc="T""#,
                "several fields are one list",
            ),
            (
                &[r#"a;desc="never closed"#, r#"db, traceparent;desc="I""#],
                r#"a;desc="never closed, db, traceparent;desc="T""#,
                "a field that is broken breaks no other",
            ),
            (
                &[r#"traceparent;desc="I",db"#],
                r#"db, traceparent;desc="T""#,
                "in place of an inner hop's",
            ),
            (
                &[r#"TraceParent ;desc="I", , traceparent"#],
                r#"traceparent;desc="T""#,
                "however it is spelled",
            ),
            (
                &[r#"a;desc="x, traceparent;desc=\", b""#],
                r#"a;desc="x, traceparent;desc=\", b", traceparent;desc="T""#,
                "what is quoted is no metric",
            ),
            (
                &[r#"a;desc="never closed, traceparent"#],
                r#"a;desc="never closed, traceparent, traceparent;desc="T""#,
                "what is broken stays",
            ),
        ] {
            let got = server_timing(came.iter().map(|field| field.as_bytes()), b"T");
            assert_eq!(String::from_utf8(got).unwrap(), expected, "{why}");
        }
    }
}
