use super::check::{self, ALL, UNKNOWN};
use super::trace::{self, PRODUCTPAGE, REVIEWS};
use anyhow::Result;
use std::collections::BTreeSet;
use throughline_dev::backends::{Jaeger, JaegerSearch};

#[test]
fn gives_back_what_it_got() -> Result<()> {
    let jaeger = Jaeger::start()?;
    check::takes_all(
        jaeger.otlp_http(),
        jaeger.otlp_grpc(),
        jaeger.zipkin(),
        |id| jaeger.trace(id),
    )?;
    for id in ALL {
        check::arrives(&jaeger.trace(id)?, || jaeger.trace_for_pages(id))?;
    }
    assert!(jaeger.trace_for_pages(UNKNOWN)?.is_empty());

    let search = |service, tags: &[(&'static str, &'static str)], min_duration| JaegerSearch {
        service,
        tags: tags.iter().copied().collect(),
        min_duration,
    };
    for (search, finds) in [
        (search(REVIEWS, &[], ""), true),
        (search("ratings.bookinfo", &[], ""), false),
        (search(REVIEWS, &[("http.status_code", "500")], ""), true),
        (search(REVIEWS, &[("http.status_code", "404")], ""), false),
        (search(REVIEWS, &[("error", "true")], ""), true),
        (search(PRODUCTPAGE, &[], "250ms"), true),
        (search(PRODUCTPAGE, &[], "251ms"), false),
    ] {
        let expected = if finds {
            BTreeSet::from(ALL)
        } else {
            BTreeSet::new()
        };
        assert_eq!(check::ids(&jaeger.search(&search)?), expected, "{search:?}");
    }
    assert_eq!(jaeger.services()?, [PRODUCTPAGE, REVIEWS]);
    assert_eq!(jaeger.dependencies()?, trace::edges(3));
    Ok(())
}
