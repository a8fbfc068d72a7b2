//! What is found, and what to do about it.

use serde::Serialize;

/// How much it matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Traces or spans are missing because of it.
    Error,
    /// Something is missing, or will be.
    Warning,
    /// Good to know; not a reason to fail.
    Note,
}

/// One finding. The code never changes its meaning.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    pub code: Code,
    pub severity: Severity,
    /// One sentence.
    pub what: String,
    /// How that is known, and what comes of it.
    pub why: String,
    /// The exact change: commands or YAML. Empty where there is nothing to change.
    pub fix: String,
}

impl Finding {
    pub fn new(
        code: Code,
        what: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: code.severity(),
            what: what.into(),
            why: why.into(),
            fix: fix.into(),
        }
    }
}

macro_rules! codes {
    ($($severity:ident { $($code:ident)* })*) => {
        /// What a finding is about.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Code { $($($code,)*)* }

        impl Code {
            /// All of them, the worst first.
            pub const ALL: &[Self] = &[$($(Self::$code,)*)*];

            pub const fn severity(self) -> Severity {
                match self { $($(Self::$code => Severity::$severity,)*)* }
            }
        }
    };
}

codes! {
    Error {
        FilterAbsent
        NoHttpListener
        ImageNotPulled
        FilterConfigMissing
        ConfigRejected
        ModuleFailed
        NotRunning
        ClusterMissing
        ClusterWithoutHosts
        HostsUnhealthy
        ClusterNotHttp2
        CollectorUnreachable
    }
    Warning {
        FilterPartlyAbsent
        FilterDisabled
        FilterFailsClosed
        SecondInstance
        RequestsMissed
        NativeTracer
        NotForwarding
        SpansDropped
        SpansFailed
        MetricsUnlabelled
        ListenerRefused
        ListenerWarming
    }
    Note {
        SwitchedOff
        NoExport
        SamplesEverything
        SamplesNothing
        BehindDenyingFilters
        AccessLogWithoutTraceId
        HttpsPassthrough
        HeadersRejected
        FormatsConflict
        NoTraffic
        CannotTellRunning
    }
}
