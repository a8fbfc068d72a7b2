//! What is decided on a request: who writes its context, the filter or a tracer of Envoy's.

use super::tracer::{Told, Tracer, Watch};
use crate::{
    engine::{Decided, Handed, LeftAlone, Mirrored, Origin, Plan},
    policy::trust::Action,
    propagation::{HeaderWrites, Headers},
};

/// What is done with one request.
#[derive(Debug)]
pub struct Decision {
    pub action: Action,
    pub role: Result<Role, LeftAlone>,
    /// It has the header that forces, and its peer may not: who comes next would take it from us.
    pub may_not_force: bool,
}

/// The filter's part in it: who writes its context.
#[derive(Debug)]
pub enum Role {
    /// Its context is the filter's to write.
    Write(Plan),
    /// A tracer of Envoy's continues what came in, which decides on the filter's own spans.
    Mirror(Mirrored, Tracer),
    /// A tracer of Envoy's goes its own way.
    StandBack(Handed, Tracer),
}

impl Role {
    pub const fn writes(&self) -> &HeaderWrites {
        match self {
            Self::Write(plan) | Self::Mirror(Mirrored { plan, .. }, _) => &plan.writes,
            Self::StandBack(handed, _) => &handed.writes,
        }
    }

    /// Who decided whether the request is sampled, as far as that is known before it is sent.
    pub const fn decided(&self) -> Decided {
        match self {
            Self::Write(plan) | Self::Mirror(Mirrored { plan, .. }, _) => plan.decided,
            Self::StandBack(..) => Decided::Before,
        }
    }

    /// Whether the trace begins with the request, so that it may have carried none.
    pub fn begins(&self) -> bool {
        match self {
            Self::Write(plan) | Self::Mirror(Mirrored { plan, .. }, _) => {
                plan.origin == Origin::Started
            }
            // What came in would go.
            Self::StandBack(handed, _) => handed.writes.iter().next().is_none(),
        }
    }

    /// What is to be found out when the request is over; `keeps_decisions` says whether one that came in counts.
    pub fn watch(&self, keeps_decisions: bool, action: Action, headers: &Headers) -> Watch {
        match self {
            Self::Write(plan) => Watch {
                left: Some(plan.context),
                caller: plan.caller.map(|span_id| (plan.context.trace_id, span_id)),
                told: Told::default(),
                decided: Some(plan.context.sampling),
                read: None,
                action,
                is_tracers_choice: false,
                must_be_written: false,
                tracer: None,
                told_span: Some(plan.hops_span()),
            },
            Self::Mirror(
                Mirrored {
                    plan,
                    wanted,
                    read,
                    is_plain,
                },
                tracer,
            ) => Watch {
                left: Some(plan.context),
                caller: Some((plan.context.trace_id, plan.context.span_id)),
                decided: wanted.filter(|_| keeps_decisions),
                read: *read,
                told: Told::of(headers),
                action,
                is_tracers_choice: false,
                must_be_written: *is_plain && tracer.renames,
                tracer: Some(*tracer),
                told_span: None,
            },
            Self::StandBack(handed, tracer) => Watch {
                left: None,
                caller: handed.caller,
                decided: handed.decided.filter(|_| keeps_decisions),
                read: handed.read,
                told: Told::of(headers),
                action,
                is_tracers_choice: handed.is_bare,
                must_be_written: handed.is_bare || (handed.is_plain && tracer.renames),
                tracer: Some(*tracer),
                told_span: None,
            },
        }
    }
}
