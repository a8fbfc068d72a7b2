//! The proxy's shared data in memory, by Envoy's rules: each write gives a value a new version.

use throughline::join::store::{Place, Store, When};

#[derive(Debug, Default)]
pub struct Shared {
    registers: Vec<(Vec<u8>, u32)>,
    evidence: Option<(Vec<u8>, u32)>,
    version: u32,
}

impl Store for Shared {
    fn get(&mut self, place: Place) -> Option<(Vec<u8>, u32)> {
        match place {
            Place::Register(slot) => self.registers.get(usize::from(slot)).cloned(),
            Place::Evidence => self.evidence.clone(),
            Place::Secret => None,
        }
    }

    fn set(&mut self, place: Place, value: &[u8], when: When) -> bool {
        self.version = self.version.wrapping_add(1);
        let written = match place {
            Place::Register(slot) => {
                let slot = usize::from(slot);
                if slot == self.registers.len() {
                    self.registers.push((value.to_vec(), self.version));
                    return true;
                }
                self.registers.get_mut(slot)
            }
            Place::Evidence => Some(self.evidence.get_or_insert_default()),
            Place::Secret => None,
        };
        let Some((bytes, version)) = written else {
            return false;
        };
        let is_allowed = match when {
            When::Always => true,
            When::Absent => *version == 0,
            When::Version(read) => *version == read,
        };
        if is_allowed {
            bytes.clear();
            bytes.extend_from_slice(value);
            *version = self.version;
        }
        is_allowed
    }
}
