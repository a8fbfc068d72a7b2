//! Envoy's response flags: why a response is what it is.

/// A request's flags, as the attribute `response.flags` gives them: bit n is `CoreResponseFlag` n
/// (Envoy, envoy/stream_info/stream_info.h).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseFlags(pub u64);

/// Short and long names (Envoy, access log `%RESPONSE_FLAGS%` and `%RESPONSE_FLAGS_LONG%`), in the order of the bits.
const NAMES: [(&str, &str); 30] = [
    ("LH", "FailedLocalHealthCheck"),
    ("UH", "NoHealthyUpstream"),
    ("UT", "UpstreamRequestTimeout"),
    ("LR", "LocalReset"),
    ("UR", "UpstreamRemoteReset"),
    ("UF", "UpstreamConnectionFailure"),
    ("UC", "UpstreamConnectionTermination"),
    ("UO", "UpstreamOverflow"),
    ("NR", "NoRouteFound"),
    ("DI", "DelayInjected"),
    ("FI", "FaultInjected"),
    ("RL", "RateLimited"),
    ("UAEX", "UnauthorizedExternalService"),
    ("RLSE", "RateLimitServiceError"),
    ("DC", "DownstreamConnectionTermination"),
    ("URX", "UpstreamRetryLimitExceeded"),
    ("SI", "StreamIdleTimeout"),
    ("IH", "InvalidEnvoyRequestHeaders"),
    ("DPE", "DownstreamProtocolError"),
    ("UMSDR", "UpstreamMaxStreamDurationReached"),
    ("RFCF", "ResponseFromCacheFilter"),
    ("NFCF", "NoFilterConfigFound"),
    ("DT", "DurationTimeout"),
    ("UPE", "UpstreamProtocolError"),
    ("NC", "NoClusterFound"),
    ("OM", "OverloadManagerTerminated"),
    ("DF", "DnsResolutionFailed"),
    ("DO", "DropOverload"),
    ("DR", "DownstreamRemoteReset"),
    ("UDO", "UnconditionalDropOverload"),
];

impl ResponseFlags {
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn set(self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        let bits = self.0;
        NAMES
            .iter()
            .enumerate()
            .filter(move |(bit, _)| {
                bits.checked_shr(u32::try_from(*bit).unwrap_or(64))
                    .unwrap_or(0)
                    & 1
                    == 1
            })
            .map(|(_, names)| names)
    }

    /// As the access log writes them: `UF,URX`, or `-` for none.
    pub fn short(self) -> String {
        let names: Vec<&str> = self.set().map(|(short, _)| *short).collect();
        if names.is_empty() {
            "-".to_owned()
        } else {
            names.join(",")
        }
    }

    /// The first one's long name, which is low in cardinality and says more than a status code.
    pub fn first_long(self) -> Option<&'static str> {
        self.set().map(|(_, long)| *long).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_read_as_in_the_access_log() {
        for (bits, short, long) in [
            (0, "-", None),
            (1 << 1, "UH", Some("NoHealthyUpstream")),
            (
                1 << 5 | 1 << 15,
                "UF,URX",
                Some("UpstreamConnectionFailure"),
            ),
            (1 << 14, "DC", Some("DownstreamConnectionTermination")),
            (1 << 29, "UDO", Some("UnconditionalDropOverload")),
            (1 << 63, "-", None),
        ] {
            let flags = ResponseFlags(bits);
            assert_eq!((flags.short().as_str(), flags.first_long()), (short, long));
        }
    }
}
