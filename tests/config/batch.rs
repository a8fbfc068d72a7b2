//! `export.batch`, `export.maxInFlight`, `export.timeout`, and the OTEL_BSP_* variables: integers and durations.

use throughline::export::{ExportSettings, Limits};

use crate::{Variables, refused, refused_with, taken};

const SECOND: u64 = 1_000_000_000;
const MILLISECOND: u64 = 1_000_000;

/// An `export` with these fields beside a cluster.
fn with(fields: &str) -> String {
    format!(r#"{{"export": {{"cluster": "c", {fields}}}}}"#)
}

fn export(fields: &str, variables: Variables<'_>) -> ExportSettings {
    let settings = taken(&with(fields), variables);
    settings.export.expect("an exporter")
}

#[test]
fn mistakes_are_named() {
    let integer = |field: &str, value: &str| with(&format!(r#""batch": {{"{field}": {value}}}"#));
    let unknown = with(r#""batch": {"maxQueueSpans": 1}"#);
    let list = with(r#""batch": [512]"#);
    refused(&[
        (
            &unknown,
            "export.batch.maxQueueSpans: unknown field; known here: maxQueueSize, maxQueueBytes, maxExportBatchSize, scheduleDelay",
        ),
        (
            &list,
            "export.batch: expected an object with maxQueueSize, maxQueueBytes, maxExportBatchSize, scheduleDelay, got a list",
        ),
    ]);
    for (field, least, most) in [
        ("maxQueueSize", 1_u64, 65_536_u64),
        ("maxExportBatchSize", 1, 65_536),
        ("maxQueueBytes", 65_536, 67_108_864),
    ] {
        let above = (most + 1).to_string();
        let below = (least - 1).to_string();
        let half = format!("{least}.5");
        let text = format!(r#""{least}""#);
        for value in [
            above.as_str(),
            &below,
            &half,
            &text,
            "-1",
            "true",
            "[]",
            "1e300",
            "{}",
        ] {
            let shown = match value {
                "[]" => "a list",
                "{}" => "an object",
                "1e300" => "a huge number",
                value => value,
            };
            let expected = format!(
                "export.batch.{field}: expected an integer from {least} to {most}, got {shown}"
            );
            refused(&[(&integer(field, value), &expected)]);
        }
    }
    for value in ["0", "65", "1.5", r#""4""#] {
        let expected = format!("export.maxInFlight: expected an integer from 1 to 64, got {value}");
        refused(&[(&with(&format!(r#""maxInFlight": {value}"#)), &expected)]);
    }
}

#[test]
fn durations_have_a_unit_and_bounds() {
    for (path, fields) in [
        ("export.timeout", ("\"timeout\": ", "")),
        (
            "export.batch.scheduleDelay",
            ("\"batch\": {\"scheduleDelay\": ", "}"),
        ),
    ] {
        let config = |value: &str| with(&format!("{}{value}{}", fields.0, fields.1));
        for value in [
            "5",
            "5.0",
            r#""5""#,
            r#""s""#,
            r#""""#,
            r#""1.5s""#,
            r#""5S""#,
            r#""5 s""#,
            r#"" 5s""#,
            r#""1h""#,
            r#""1m30s""#,
            r#""-1s""#,
            r#""+1s""#,
            r#""0s""#,
            r#""9ms""#,
            r#""61s""#,
            r#""2m""#,
            r#""60001ms""#,
            r#""18446744073709551616s""#,
            r#""9999999999999999999m""#,
            r#""५s""#,
            "true",
        ] {
            let shown = if value == "5.0" { "5" } else { value };
            let expected =
                format!(r#"{path}: expected a duration from "10ms" to "60s", got {shown}"#);
            refused(&[(&config(value), &expected)]);
        }
        for (value, milliseconds) in [
            ("10ms", 10),
            ("010ms", 10),
            ("250ms", 250),
            ("1s", 1_000),
            ("60s", 60_000),
            ("1m", 60_000),
            ("60000ms", 60_000),
        ] {
            let settings = taken(&config(&format!("\"{value}\"")), &[]);
            let export = settings.export.expect("an exporter");
            let got = if path == "export.timeout" {
                u64::from(export.timeout)
            } else {
                export.limits.schedule_delay / MILLISECOND
            };
            assert_eq!(got, milliseconds, "{path}: {value}");
        }
    }
}

#[test]
fn integers_may_be_written_with_a_fraction_of_zero() {
    let fields = r#""batch": {"maxQueueSize": 4096.0, "maxQueueBytes": 65536, "maxExportBatchSize": 1e3,
                    "scheduleDelay": "5s"}, "maxInFlight": 64.0, "timeout": "1s""#;
    let export = export(fields, &[]);
    let expected = Limits {
        max_queue_size: 4096,
        max_queue_bytes: 65_536,
        max_export_batch_size: 1_000,
        schedule_delay: 5 * SECOND,
        max_in_flight: 64,
    };
    assert_eq!((export.limits, export.timeout), (expected, 1_000));
}

#[test]
fn a_batch_fits_its_queue() {
    let small = export(r#""batch": {"maxQueueSize": 100}"#, &[]).limits;
    assert_eq!(
        (small.max_queue_size, small.max_export_batch_size),
        (100, 100),
        "a default gives way"
    );
    let larger = with(r#""batch": {"maxQueueSize": 100, "maxExportBatchSize": 101}"#);
    refused(&[(
        &larger,
        "export.batch.maxExportBatchSize: must not be above maxQueueSize, 101 > 100",
    )]);
}

#[test]
fn variables_fill_what_is_left_out() {
    const ALL: Variables<'_> = &[
        ("OTEL_BSP_SCHEDULE_DELAY", "500"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "1000"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "nobody reads it"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000"),
    ];
    let from_environment = Limits {
        max_queue_size: 1000,
        max_export_batch_size: 100,
        schedule_delay: 500 * MILLISECOND,
        ..Limits::default()
    };
    let got = export(r#""protocol": "otlp-http""#, ALL);
    assert_eq!((got.limits, got.timeout), (from_environment, 2_000));
    let configured = r#""batch": {"maxQueueSize": 10, "maxExportBatchSize": 5, "scheduleDelay": "1s"}, "timeout": "3s""#;
    let got = export(configured, ALL);
    let expected = Limits {
        max_queue_size: 10,
        max_export_batch_size: 5,
        schedule_delay: SECOND,
        ..Limits::default()
    };
    assert_eq!(
        (got.limits, got.timeout),
        (expected, 3_000),
        "pluginConfig comes first"
    );
    let both = [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1000"),
    ];
    assert_eq!(export(r#""protocol": "otlp-http""#, &both).timeout, 1_000);
    let empty = [
        ("OTEL_BSP_MAX_QUEUE_SIZE", " "),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", ""),
    ];
    let got = export(r#""protocol": "otlp-http""#, &empty);
    assert_eq!(
        (got.limits, got.timeout),
        (Limits::default(), 10_000),
        "empty is unset"
    );
}

#[test]
fn variables_are_refused_as_fields_are() {
    for (name, least, most) in [
        ("OTEL_BSP_MAX_QUEUE_SIZE", 1, 65_536),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, 65_536),
        ("OTEL_BSP_SCHEDULE_DELAY", 10, 60_000),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", 10, 60_000),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", 10, 60_000),
    ] {
        let (above, below) = ((most + 1).to_string(), (least - 1).to_string());
        for value in [
            above.as_str(),
            &below,
            "5s",
            "-1",
            "1.5",
            "x",
            "99999999999999999999",
        ] {
            let expected =
                format!("{name}: expected an integer from {least} to {most}, got \"{value}\"");
            refused_with(&[(
                r#"{"export": {"cluster": "c"}}"#,
                &[(name, value)],
                &expected,
            )]);
            taken("{}", &[(name, value)]);
        }
    }
}
