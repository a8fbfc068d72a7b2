//! What Envoy's log says of the filter. Other lines, and lines of other shapes, are passed over.

/// The last word on each matter.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Log {
    /// The start-up line: `throughline 0.1.0 on sidecar: …`.
    pub started: Option<String>,
    /// Why the configuration was refused, where that is later than the start-up line.
    pub rejected: Option<String>,
    /// Why the module ended, or did not load.
    pub broken: Option<String>,
    /// Why Istio's agent could not pull the image.
    pub not_pulled: Option<String>,
    /// Why spans do not leave.
    pub unreachable: Option<String>,
}

const REJECTED: &str = ": configuration rejected, requests pass untouched: ";

/// What Envoy says of a module that ends or does not load.
const BROKEN: [&str; 5] = [
    "panicked at",
    "Failed to load Wasm",
    "Failed to initialize Wasm",
    "Unable to create Wasm",
    "failed: Uncaught RuntimeError",
];

/// What Istio's agent says before it puts another filter in the module's place.
const NOT_PULLED: &str = "error in converting the wasm config to local: ";

impl Log {
    pub fn read(text: &str) -> Self {
        let mut log = Self::default();
        for line in text.lines() {
            if BROKEN.iter().any(|words| line.contains(words)) {
                // What comes first is the cause.
                log.broken.get_or_insert_with(|| message(line).to_owned());
            }
            if let Some((_, why)) = message(line).split_once(NOT_PULLED) {
                log.not_pulled = Some(why.to_owned());
            }
            let Some(at) = said(message(line)) else {
                continue;
            };
            if let Some((_, problem)) = at.split_once(REJECTED) {
                log.rejected = Some(problem.to_owned());
            } else if at.contains(": spans do not leave by ") {
                log.unreachable = Some(at.to_owned());
            } else if at.contains(": spans leave again by ") {
                log.unreachable = None;
            } else if at.contains(": service.name=") || at.contains(": disabled (") {
                log.started = Some(at.to_owned());
                log.rejected = None;
                log.broken = None;
                log.not_pulled = None;
            }
        }
        log
    }

    /// The version in the start-up line.
    pub fn version(&self) -> Option<&str> {
        self.started.as_deref()?.split(' ').nth(1)
    }
}

/// Without what Envoy begins its lines with in brackets (time, thread, level, logger and place), and Istio between tabs (time,
/// level and logger; the thread comes last).
fn message(line: &str) -> &str {
    if let Some(message) = line.split('\t').nth(3) {
        return message;
    }
    let mut rest = line.trim_start();
    while let Some((_, after)) = rest
        .strip_prefix('[')
        .and_then(|inner| inner.split_once(']'))
    {
        rest = after.trim_start();
    }
    rest
}

/// What the filter itself said: from `throughline 0.1.0` on.
fn said(line: &str) -> Option<&str> {
    line.match_indices("throughline ").find_map(|(at, word)| {
        let rest = line.get(at..)?;
        let version = rest.get(word.len()..)?;
        version
            .starts_with(|char: char| char.is_ascii_digit())
            .then_some(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::Log;

    #[test]
    fn the_last_word_counts() {
        let start = "[2026-01-01 00:00:00.000][1][warning][wasm] wasm log throughline: throughline 0.1.0 on sidecar: service.name=a sampler=x";
        let bad = "wasm log throughline: throughline 0.1.0: configuration rejected, requests pass untouched: samplng: unknown field";
        let lost = "wasm log: throughline 0.1.0: spans do not leave by otlp-http to cluster x: no such cluster";
        let back = "wasm log: throughline 0.1.0: spans leave again by otlp-http to cluster x";
        let log = Log::read(&[start, bad].join("\n"));
        assert_eq!(log.rejected.as_deref(), Some("samplng: unknown field"));
        let log = Log::read(&[bad, start, lost].join("\n"));
        assert_eq!(
            (log.rejected.as_deref(), log.version()),
            (None, Some("0.1.0"))
        );
        assert!(log.unreachable.is_some());
        assert_eq!(Log::read(&[lost, back].join("\n")).unreachable, None);
        assert_eq!(Log::read("throughline \nnothing"), Log::default());
    }

    #[test]
    fn lines_of_istio_are_read_without_what_is_around_them() {
        let pull = "2026-11-21T12:20:16Z\terror\twasm\terror in converting the wasm config to local: cannot fetch Wasm module x";
        let lost = "2026-11-21T12:20:16Z\terror\tenvoy wasm context.cc:1157\twasm log throughline: throughline 0.1.0: spans do not leave by x: y\tthread=22";
        let log = Log::read(&[pull, lost].join("\n"));
        assert_eq!(
            log.not_pulled.as_deref(),
            Some("cannot fetch Wasm module x")
        );
        assert_eq!(
            log.unreachable.as_deref(),
            Some("throughline 0.1.0: spans do not leave by x: y")
        );
    }
}
