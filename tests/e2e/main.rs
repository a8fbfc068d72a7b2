//! The built module in real Envoys of every supported line: client → inbound → application → outbound → callee, with
//! raw bytes at both ends.
//!
//! A case is a few lines in `cases/`: what is sent, what the application forwards, what must arrive. What has another
//! shape (a reload, another protocol) is a function in `scenarios/`. What is exported is a topic in `spans/`, how it leaves
//! one in `spans/export/`. Everything runs on every line; cases with the same configuration share an Envoy, and so do topics.
//!
//! ```text
//! make build && python3 dev/envoy/install.py all     (once)
//! cargo test --test e2e                              everything
//! cargo test --test e2e envoy_1_40                   one line
//! ONLY="64 bits" cargo test --test e2e               what has that in its name
//! SEED=1 cargo test --test e2e                       other hostile requests
//! ```

mod case;
mod cases;
mod formats;
mod kill;
mod module;
mod scenarios;
mod spans;
mod stage;
mod suite;
mod tracers;
mod want;
mod workers;

use throughline_dev::envoy::Release;

macro_rules! lines {
    ($($test:ident: $line:literal,)*) => {
        $(#[test]
        fn $test() -> anyhow::Result<()> {
            suite::run(Release::find($line)?)
        })*

        #[test]
        fn every_supported_line_is_here() {
            let here = [$($line),*].map(|line| Release::find(line).ok());
            assert_eq!(here, Release::ALL.map(Some));
        }
    };
}

lines! {
    envoy_1_36: "1.36",
    envoy_1_37: "1.37",
    envoy_1_38: "1.38",
    envoy_1_39: "1.39",
    envoy_1_40: "1.40",
}
