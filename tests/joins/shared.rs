//! The proxy's shared data in memory, by Envoy's rules: each write gives a value a new version.

use throughline::{
    engine::{NoRandomness, Randomness},
    join::store::{Place, Store, When},
};

#[derive(Default)]
pub struct Shared {
    values: Vec<(Place, Vec<u8>, u32)>,
    version: u32,
    pub reads: usize,
    pub writes: usize,
}

impl Store for Shared {
    fn get(&mut self, place: Place) -> Option<(Vec<u8>, u32)> {
        self.reads += 1;
        let found = self.values.iter().find(|(name, ..)| *name == place);
        found.map(|(_, value, version)| (value.clone(), *version))
    }

    fn set(&mut self, place: Place, value: &[u8], when: When) -> bool {
        self.writes += 1;
        let found = self.values.iter().position(|(name, ..)| *name == place);
        let is_allowed = match (when, found) {
            (When::Always, _) | (When::Absent | When::Version(_), None) => true,
            (When::Absent, Some(_)) => false,
            (When::Version(version), Some(at)) => self.values[at].2 == version,
        };
        if is_allowed {
            self.version += 1;
            let written = (place, value.to_vec(), self.version);
            match found {
                Some(at) => self.values[at] = written,
                None => self.values.push(written),
            }
        }
        is_allowed
    }
}

impl Randomness for Shared {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.version += 1;
        bytes.fill(self.version.to_le_bytes()[0]);
        Ok(())
    }
}
