//! `nativeTracer`.

use throughline::policy::tracer::NativeTracer;

use crate::{refused, said, taken};

#[test]
fn mistakes_are_named() {
    refused(&[
        (
            r#"{"nativeTracer": "mirrored"}"#,
            r#"nativeTracer: expected one of auto, own, mirror, got "mirrored""#,
        ),
        (
            r#"{"nativeTracer": "miror"}"#,
            r#"nativeTracer: expected one of auto, own, mirror, got "miror"; did you mean mirror?"#,
        ),
        (
            r#"{"nativeTracer": true}"#,
            "nativeTracer: expected a string, got true; put it in quotes",
        ),
        (
            r#"{"nativetracer": "own"}"#,
            "nativetracer: unknown field, did you mean nativeTracer?",
        ),
    ]);
}

#[test]
fn what_is_taken_means() {
    for (config, expected) in [
        ("{}", NativeTracer::Auto),
        (r#"{"nativeTracer": null}"#, NativeTracer::Auto),
        (r#"{"nativeTracer": "auto"}"#, NativeTracer::Auto),
        (r#"{"nativeTracer": "own"}"#, NativeTracer::Own),
        (r#"{"nativeTracer": "mirror"}"#, NativeTracer::Mirror),
    ] {
        assert_eq!(taken(config, &[]).native_tracer, expected, "{config}");
    }
}

#[test]
fn what_was_chosen_is_announced() {
    said(&[
        (
            r#"{"nativeTracer": "mirror"}"#,
            &[],
            "export=none nativeTracer=mirror",
            "a tracer that is there",
        ),
        (
            r#"{"nativeTracer": "own"}"#,
            &[],
            "export=none nativeTracer=own",
            "one that is not",
        ),
    ]);
}
