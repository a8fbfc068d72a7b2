//! The proxy's shared data, as far as joins need it: values that all workers see, each replaced as a whole.

/// One shared value. There is a fixed number of them, as the host cannot delete any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// What one worker has in flight. That worker alone writes it.
    Register(u8),
    /// What keys are hashed with.
    Secret,
    /// What all workers have learned.
    Evidence,
}

impl Place {
    /// The name of the value in the host's shared data. With another layout it has another number, so that two versions of the
    /// module in one process leave each other alone.
    pub fn name(self) -> String {
        match self {
            Self::Register(slot) => format!("throughline.join.1.{slot}"),
            Self::Secret => "throughline.join.1.secret".to_owned(),
            Self::Evidence => "throughline.join.1.evidence".to_owned(),
        }
    }
}

/// Which value a write may replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Whatever is there.
    Always,
    /// None: where one is there by now, nothing is written.
    Absent,
    /// The one of this version, or nothing is written.
    Version(u32),
}

/// Each method is one call of the host, and atomic by itself; nothing else is.
pub trait Store {
    /// The value and its version; `None` before the first write.
    fn get(&mut self, place: Place) -> Option<(Vec<u8>, u32)>;
    /// Whether the value was written.
    fn set(&mut self, place: Place, value: &[u8], when: When) -> bool;
}
