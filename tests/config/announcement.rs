//! Who says what of a configuration, and when.

use crate::support::{FakeHost, configure};

#[test]
fn a_bad_configuration_is_inert_and_says_so_in_a_gauge() {
    let mut host = FakeHost::default();
    assert!(configure(&mut host, "{").is_err());
    assert_eq!(host.metrics()["throughline.config_rejected"], 1);
    assert!(configure(&mut host, "{}").is_ok());
    assert_eq!(host.metrics()["throughline.config_rejected"], 0);
    let info = format!("throughline.info{{version={}}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(host.metrics()[&info], 1);
}

#[test]
fn each_configuration_is_announced_once_in_a_process() {
    const OTHER: &str = r#"{"sampling": {"arg": 0.5}}"#;
    const TAG: &str = r#"{"customTags": {"a": {"literal": {"value": "1"}}}}"#;
    const OTHER_TAG: &str = r#"{"customTags": {"a": {"literal": {"value": "2"}}}}"#;
    const SILENT: &str = r#"{"log": {"level": "off"}}"#;
    // One store for the process, as many VMs as there are workers.
    let mut host = FakeHost::default();
    let mut said = |second: u64, plugin: &str, config: &str| {
        host.now = (1_700_000_000 + second) * 1_000_000_000;
        host.properties
            .insert("plugin_name".into(), plugin.as_bytes().to_vec());
        host.log.clear();
        let _ = configure(&mut host, config);
        host.log.len()
    };
    for (second, plugin, config, expected, why) in [
        (0, "one", "{}", 1, "the first worker speaks"),
        (0, "one", "{}", 0, "the others do not"),
        (1, "two", "{}", 1, "another plugin does"),
        (2, "one", OTHER, 1, "a new configuration is news"),
        (
            2,
            "one",
            "{}",
            0,
            "two listeners of one plugin do not take turns",
        ),
        (3, "one", OTHER, 0, "in either of them"),
        (20, "one", "{}", 1, "going back is news"),
        (21, "one", TAG, 1, "so is a tag"),
        (21, "one", OTHER_TAG, 1, "and its value"),
        (30, "one", "{", 1, "an error is said once too"),
        (31, "one", "{", 0, "by one worker"),
        (40, "one", SILENT, 0, "below its level nothing is said"),
        (60, "one", "{", 1, "and the same error is news again"),
    ] {
        assert_eq!(said(second, plugin, config), expected, "{why}");
    }
    for plugin in 0..200 {
        assert_eq!(
            said(100, &format!("p{plugin}"), "{}"),
            1,
            "more plugins than are remembered"
        );
    }
}

#[test]
fn the_gauge_counts_the_plugins_whose_configuration_was_refused() {
    let mut host = FakeHost::default();
    let mut rejected = |plugin: &str, config: &str| {
        host.properties
            .insert("plugin_name".into(), plugin.as_bytes().to_vec());
        let _ = configure(&mut host, config);
        host.metrics()["throughline.config_rejected"]
    };
    assert_eq!(rejected("one", "{"), 1);
    assert_eq!(rejected("one", "{"), 1, "every worker says it");
    assert_eq!(
        rejected("two", "{}"),
        1,
        "a good one beside it hides nothing"
    );
    assert_eq!(rejected("two", "["), 2);
    assert_eq!(rejected("one", "{}"), 1);
    assert_eq!(rejected("two", "{}"), 0);
}

#[test]
fn no_start_up_line_below_its_level() {
    let mut host = FakeHost::default();
    assert!(configure(&mut host, r#"{"log": {"level": "error"}}"#).is_ok());
    assert_eq!(host.log, [], "not even a start-up line");
}
