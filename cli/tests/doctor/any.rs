//! Any bytes: an answer or a complaint, never a panic.

use proptest::prelude::*;
use throughline_cli::doctor::diagnose;
use throughline_cli::source::Text;

const DUMP: &str = include_str!("../dumps/two-instances/config_dump.json");
const STATS: &str = include_str!("../dumps/two-instances/stats.txt");

fn text(bytes: Vec<u8>) -> Text {
    Text {
        name: "any".to_owned(),
        bytes,
    }
}

/// A real page with some bytes changed, taken out or put in.
fn mangled(page: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let change = (
        any::<prop::sample::Index>(),
        0..40_usize,
        prop::collection::vec(any::<u8>(), 0..8),
    );
    prop::collection::vec(change, 1..4).prop_map(move |changes| {
        let mut bytes = page.as_bytes().to_vec();
        for (at, length, with) in changes {
            let start = at.index(bytes.len());
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, with);
            if bytes.is_empty() {
                break;
            }
        }
        bytes
    })
}

/// JSON with the words that matter in places where they do not belong.
fn json() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "configs",
        "@type",
        "x.ListenersConfigDump",
        "x.EcdsConfigDump",
        "x.ClustersConfigDump",
        "x.BootstrapConfigDump",
        "static_listeners",
        "dynamic_listeners",
        "active_state",
        "listener",
        "filter_chains",
        "filters",
        "typed_config",
        "x.HttpConnectionManager",
        "http_filters",
        "throughline",
        "x.Wasm",
        "config",
        "configuration",
        "x.StringValue",
        "value",
        "{}",
        "name",
        "ecds_filters",
        "ecds_filter",
        "cluster_statuses",
        "bootstrap",
        "node",
        "metadata",
    ]);
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<bool>().prop_map(|truth| truth.to_string()),
        word.clone().prop_map(|word| format!("{word:?}")),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6)
                .prop_map(|list| format!("[{}]", list.join(","))),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|fields| {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|(name, value)| format!("{name:?}:{value}"))
                    .collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512), log in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = diagnose(&[text(bytes)], Some(&text(log)));
    }

    #[test]
    fn mangled_dumps_never_panic(dump in mangled(DUMP), stats in mangled(STATS)) {
        let _ = diagnose(&[text(dump.clone()), text(stats.clone())], Some(&text(stats)));
        let _ = diagnose(&[text(dump)], None);
    }

    #[test]
    fn mangled_statistics_never_panic(stats in mangled(STATS)) {
        let told = diagnose(&[text(DUMP.as_bytes().to_vec()), text(stats)], None);
        if let Ok(report) = told {
            // What is said is JSON, whatever was in it.
            prop_assert!(serde_json::from_str::<crate::shape::Report>(&report.json()).is_ok());
        }
    }

    #[test]
    fn words_in_the_wrong_places_never_panic(json in json()) {
        let _ = diagnose(&[text(json.into_bytes())], None);
    }
}
