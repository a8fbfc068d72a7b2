use super::check::{self, BY_ZIPKIN, UNKNOWN};
use super::trace::{self, PRODUCTPAGE, REVIEWS};
use anyhow::Result;
use throughline_dev::backends::Zipkin;
use throughline_dev::receiver::Code;

#[test]
fn gives_back_what_it_got() -> Result<()> {
    let zipkin = Zipkin::start()?;
    assert!(zipkin.trace(UNKNOWN)?.is_empty());
    let mut spans = trace::spans(BY_ZIPKIN)?;
    zipkin
        .endpoint()
        .post("/api/v2/spans", &trace::as_zipkin(&spans))?;
    for failed in spans.iter_mut().filter(|span| span.status == Code::Error) {
        failed
            .attributes
            .insert("error".to_owned(), "true".to_owned());
    }
    check::arrives(&spans, || zipkin.trace(BY_ZIPKIN))?;

    for (parameters, finds) in [
        (vec![("serviceName", REVIEWS)], true),
        (vec![("serviceName", "ratings.bookinfo")], false),
        (
            vec![
                ("serviceName", REVIEWS),
                ("annotationQuery", "error and http.status_code=500"),
            ],
            true,
        ),
        (
            vec![
                ("serviceName", REVIEWS),
                ("annotationQuery", "http.status_code=404"),
            ],
            false,
        ),
        (
            vec![("serviceName", PRODUCTPAGE), ("minDuration", "250000")],
            true,
        ),
        (
            vec![("serviceName", PRODUCTPAGE), ("minDuration", "250001")],
            false,
        ),
    ] {
        let traces = zipkin.search(&parameters)?;
        assert_eq!(
            check::ids(&traces).contains(BY_ZIPKIN),
            finds,
            "{parameters:?}"
        );
    }
    assert_eq!(zipkin.services()?, [PRODUCTPAGE, REVIEWS]);
    assert_eq!(zipkin.dependencies()?, trace::edges(1));
    Ok(())
}
