//! Our manifests in a mesh that Istio's own control plane runs: `kubectl apply`, then requests.
//!
//! One mesh for each line of Istio, in which the scenarios play one after the other, each from the same beginning. They need
//! networks of their own: `make test-istio`, by dev/istio/live.sh.
//!
//! ```text
//! make test-istio ONLY=upgrade,bad    the scenarios that have one of these in their name
//! ```

mod bookinfo;
mod books;
mod checkout;
mod doctor;
mod gate;
mod manifests;
mod page;
mod scenarios;
mod share;
mod stage;
mod suite;
mod tools;

use throughline_dev::istio::Line;

macro_rules! lines {
    ($($test:ident: $line:literal,)*) => {
        $(#[test]
        fn $test() -> anyhow::Result<()> {
            suite::run(Line::find($line)?)
        })*

        #[test]
        fn every_line_is_here() {
            let here = [$($line),*].map(|line| Line::find(line).ok());
            assert_eq!(here, Line::ALL.map(Some));
        }
    };
}

lines! {
    istio_1_29: "1.29",
    istio_1_31: "1.31",
}
