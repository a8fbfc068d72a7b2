//! One start-up line for each process and configuration, although every worker's VM is configured.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::host::Host;

/// Holds, for each plugin of the process, the line that was logged last: pairs of hashes, 16 bytes each.
const KEY: &str = "throughline.announced";
/// More plugins than one listener chain ever holds; beyond it the oldest is forgotten.
const MOST: usize = 32;
/// Other workers write at the same time, each once.
const TRIES: usize = 16;

/// Whether `line` is news for `plugin` in this process, and this VM is the one to say it.
pub fn is_news(host: &mut impl Host, plugin: &[u8], line: &str) -> bool {
    let (plugin, line) = (hash(plugin), hash(line.as_bytes()));
    for _ in 0..TRIES {
        let shared = host.shared(KEY);
        let mut entries = entries(shared.value.as_deref().unwrap_or_default());
        if entries.contains(&(plugin, line)) {
            return false;
        }
        entries.retain(|(name, _)| *name != plugin);
        entries.push((plugin, line));
        let forgotten = entries.len().saturating_sub(MOST);
        let value: Vec<u8> = entries
            .iter()
            .skip(forgotten)
            .flat_map(|(plugin, line)| [plugin.to_le_bytes(), line.to_le_bytes()].concat())
            .collect();
        if host.set_shared(KEY, &value, shared.version) {
            return true;
        }
    }
    // Better said twice than never.
    true
}

fn hash(bytes: &[u8]) -> u64 {
    // Keyed with zeros, so that all VMs of a process agree.
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn entries(value: &[u8]) -> Vec<(u64, u64)> {
    let (words, _) = value.as_chunks::<8>();
    let (pairs, _) = words.as_chunks::<2>();
    pairs
        .iter()
        .map(|[plugin, line]| (u64::from_le_bytes(*plugin), u64::from_le_bytes(*line)))
        .collect()
}
