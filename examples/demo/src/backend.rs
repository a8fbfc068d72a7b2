//! The real tracing backends that the demo can start.

use anyhow::{Result, bail};

/// A backend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backend {
    Zipkin,
    Jaeger,
}

impl Backend {
    const ALL: [Self; 2] = [Self::Zipkin, Self::Jaeger];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zipkin => "zipkin",
            Self::Jaeger => "jaeger",
        }
    }

    /// As its project writes it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Zipkin => "Zipkin",
            Self::Jaeger => "Jaeger",
        }
    }

    /// The one of that name.
    pub fn find(name: &str) -> Result<Self> {
        match Self::ALL.into_iter().find(|backend| backend.name() == name) {
            Some(backend) => Ok(backend),
            None => bail!(
                "the demo cannot start {name:?}, only: {}",
                Self::ALL.map(Self::name).join(", ")
            ),
        }
    }
}
