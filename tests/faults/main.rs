//! Collectors that fail, under constant load on a real Envoy: no request fails or stalls, memory stays within its limit,
//! every span is exported or counted as lost, and the export resumes by itself.
//!
//! ```text
//! make test-faults                                              all, on the oldest and the newest Envoy (minutes)
//! cargo test --test faults                                      one of each kind, in a minute
//! ONLY="answers 503" cargo test --test faults -- --ignored      what has that in its name
//! DOCS=1 make test-faults                                       notes the figures in docs/faults.md
//! ```

mod fault;
mod stage;
mod suite;
mod table;
mod trial;

use crate::suite::Stalls;
use anyhow::Result;
use throughline_dev::envoy::Release;

#[test]
fn a_few() -> Result<()> {
    suite::run(Release::NEWEST, Stalls::Say, |fault, protocol| {
        suite::QUICK.contains(&(fault.name, protocol))
    })
    .map(drop)
}

#[test]
#[ignore = "takes minutes: make test-faults"]
fn envoy_1_36() -> Result<()> {
    suite::all(Release::find("1.36")?)
}

#[test]
#[ignore = "takes minutes: make test-faults"]
fn envoy_1_40() -> Result<()> {
    suite::all(Release::find("1.40")?)
}
