//! Searches by service, status and duration, as the pages of Zipkin, Jaeger and Tempo make them.

use super::played::Played;
use super::request::{FAILING, Request};
use crate::check;
use anyhow::Result;
use std::collections::BTreeSet;
use throughline_dev::backends::{Jaeger, JaegerSearch, Span, Tempo, Zipkin};

const RATINGS: &str = "ratings.bookinfo";
const REVIEWS: &str = "reviews.bookinfo";
const GATEWAY: &str = "istio-ingressgateway.istio-system";

/// The traces that one backend has.
pub struct Traces<'a>(Vec<&'a Played<'a>>);

impl<'a> Traces<'a> {
    /// Those that were sent to that backend.
    pub fn of(backend: &str, all: &'a [Played<'a>]) -> Self {
        let here = |played: &&Played<'_>| played.to.backend.name() == backend;
        Self(all.iter().filter(here).collect())
    }

    /// Those of the backend that are as described.
    pub fn ids(&self, described: impl Fn(&Played<'_>) -> bool) -> Vec<&'a str> {
        let fits = self.0.iter().filter(|played| described(played));
        fits.map(|played| played.id.as_str()).collect()
    }

    /// What the trace of that id is of.
    pub fn get(&self, id: &str) -> Option<&'a Played<'a>> {
        self.0.iter().copied().find(|played| played.id == id)
    }

    /// Those that reached a service.
    fn reach(&self, service: &str) -> Vec<&'a str> {
        self.ids(|played| played.spans.iter().any(|span| span.service == service))
    }

    fn of_request(&self, request: &Request) -> Vec<&'a str> {
        self.ids(|played| played.request.name == request.name)
    }

    /// The longest, in whole microseconds, and those that took that long.
    fn longest(&self) -> (u64, Vec<&'a str>) {
        let longest = |played: &Played<'_>| played.longest_ns() / 1000;
        let most = self.0.iter().map(|played| longest(played)).max();
        let most = most.unwrap_or_default();
        (most, self.ids(|played| longest(played) == most))
    }
}

fn ids(traces: &[Vec<Span>]) -> BTreeSet<String> {
    let ids = check::ids(traces).into_iter();
    ids.map(str::to_owned).collect()
}

/// Each finds what it should, and nothing else.
pub fn in_zipkin(zipkin: &Zipkin, traces: &Traces<'_>) -> Result<()> {
    let finds = |expected: &[&str], parameters: &[(&str, &str)]| {
        let what = format!("Zipkin, asked for {parameters:?},");
        check::finds(&what, expected, || Ok(ids(&zipkin.search(parameters)?)))
    };
    finds(&traces.reach(RATINGS), &[("serviceName", RATINGS)])?;
    finds(&traces.reach(GATEWAY), &[("serviceName", GATEWAY)])?;
    let failed = ("annotationQuery", "http.status_code=500");
    finds(&traces.of_request(&FAILING), &[failed])?;
    finds(&[], &[("serviceName", GATEWAY), failed])?;
    let (longest, ids) = traces.longest();
    finds(&ids, &[("minDuration", &longest.to_string())])?;
    finds(&[], &[("minDuration", &(longest + 1).to_string())])
}

/// The same in Jaeger, where every search names a service.
pub fn in_jaeger(jaeger: &Jaeger, traces: &Traces<'_>) -> Result<()> {
    let finds = |expected: &[&str], search: JaegerSearch<'_>| {
        let what = format!("Jaeger, asked for {search:?},");
        check::finds(&what, expected, || Ok(ids(&jaeger.search(&search)?)))
    };
    let of = |service| JaegerSearch {
        service,
        ..JaegerSearch::default()
    };
    finds(&traces.reach(RATINGS), of(RATINGS))?;
    finds(&traces.reach(GATEWAY), of(GATEWAY))?;
    let failed = |service| JaegerSearch {
        tags: [("http.status_code", "500")].into(),
        ..of(service)
    };
    finds(&traces.of_request(&FAILING), failed(REVIEWS))?;
    finds(&[], failed(GATEWAY))?;
    let (longest, ids) = traces.longest();
    for (min_duration, ids) in [(longest, ids), (longest + 1, Vec::new())] {
        let min_duration = format!("{min_duration}us");
        let search = JaegerSearch {
            min_duration: &min_duration,
            ..of(GATEWAY)
        };
        finds(&ids, search)?;
    }
    Ok(())
}

/// The same in Tempo; [`super::queries`] has what people write.
pub fn in_tempo(tempo: &Tempo, traces: &Traces<'_>) -> Result<()> {
    let finds = |expected: &[&str], query: &str| {
        let what = format!("Tempo, asked for {query},");
        check::finds(&what, expected, || tempo.search(query))
    };
    for service in [RATINGS, GATEWAY] {
        let query = format!("{{ resource.service.name = \"{service}\" }}");
        finds(&traces.reach(service), &query)?;
    }
    finds(
        &traces.of_request(&FAILING),
        "{ span.http.status_code = 500 || span.http.status_code = \"500\" }",
    )?;
    let (longest, ids) = traces.longest();
    let slow =
        |least| format!("{{ resource.service.name = \"{GATEWAY}\" && duration >= {least}us }}");
    finds(&ids, &slow(longest))?;
    finds(&[], &slow(longest + 1))
}
