//! Which trace headers a service copies from the request it got onto the calls it makes.

use crate::app::Forward;
use anyhow::{Result, bail};

/// What a service copies. It finds its own trace in the same headers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Copies {
    /// The single B3 header.
    B3,
    /// B3's several headers.
    B3Multi,
    /// `traceparent` alone.
    Traceparent,
    /// Every header that Istio's documentation of distributed tracing lists.
    Istio,
    /// None.
    Nothing,
}

impl Copies {
    const ALL: [Self; 5] = [
        Self::B3,
        Self::B3Multi,
        Self::Traceparent,
        Self::Istio,
        Self::Nothing,
    ];

    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::B3 => "b3",
            Self::B3Multi => "b3multi",
            Self::Traceparent => "traceparent",
            Self::Istio => "istio",
            Self::Nothing => "nothing",
        }
    }

    /// Continues "it copies …".
    pub fn words(self) -> &'static str {
        match self {
            Self::B3 => "only b3",
            Self::B3Multi => "only x-b3-*",
            Self::Traceparent => "only traceparent",
            Self::Istio => "all that Istio's documentation lists",
            Self::Nothing => "nothing",
        }
    }

    /// The one of that name.
    pub fn find(name: &str) -> Result<Self> {
        match Self::ALL.into_iter().find(|copies| copies.name() == name) {
            Some(copies) => Ok(copies),
            None => bail!(
                "a service cannot copy {name:?}, only: {}",
                Self::ALL.map(Self::name).join(", ")
            ),
        }
    }

    /// The same for the application that does it.
    pub fn forward(self) -> Forward {
        match self {
            Self::B3 => Forward::B3_SINGLE,
            Self::B3Multi => Forward::B3_MULTI,
            Self::Traceparent => Forward::TRACEPARENT,
            Self::Istio => Forward::ISTIO,
            Self::Nothing => Forward::Nothing,
        }
    }
}
