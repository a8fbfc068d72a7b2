//! Randomness from the host, fetched for several requests at a time: each fetch leaves the VM.

use std::cell::RefCell;

use crate::engine::NoRandomness;

/// Enough for some ten requests.
const SIZE: usize = 256;

thread_local! {
    /// What is left of the last fetch. Nothing of it is used twice.
    static POOL: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

pub fn fill(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    POOL.try_with(|pool| {
        let mut pool = pool.try_borrow_mut().map_err(|_| NoRandomness)?;
        if pool.len() < bytes.len() {
            pool.clear();
            pool.resize(SIZE.max(bytes.len()), 0);
            if getrandom::fill(&mut pool).is_err() {
                pool.clear();
                return Err(NoRandomness);
            }
        }
        for byte in bytes {
            *byte = pool.pop().ok_or(NoRandomness)?;
        }
        Ok(())
    })
    .unwrap_or(Err(NoRandomness))
}
