//! What the VMs of one process must agree on. Each worker has a VM, the main thread has one, and every one of them is
//! given each configuration.
//!
//! Lists in the host's shared data, of fixed size, changed by compare-and-swap.

use core::time::Duration;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::host::Host;

/// What was said lately: hash and second.
const SAID: &str = "throughline.said";
/// Which plugins' last configuration was refused: hash and 0 or 1.
const REFUSED: &str = "throughline.refused";
/// Which exporters' spans do not arrive: the exporter and 1.
const UNREACHABLE: &str = "throughline.unreachable";
/// All plugins that were ever configured: name and 1.
const PLUGINS: &str = "throughline.plugins";
/// Decisions to sample in this second: the second and how many.
const SAMPLED: &str = "throughline.sampled";
/// What Envoy's own tracers write: the listener, and what is known of the tracer there.
const TRACERS: &str = "throughline.tracers";
/// More than the plugins of one process; beyond it the oldest is forgotten.
const MOST: usize = 512;
/// More than the listeners of one proxy that a tracer is seen at. Every request looks through them.
const MOST_TRACERS: usize = 256;
/// The version of a list that is not there yet: the host counts up from 1, so that one which is there by now has another.
const NONE_YET: u32 = u32::MAX;
/// Other workers write at the same time, each once.
const TRIES: usize = 64;
/// All VMs of a process are given a configuration within moments. What comes later is news again, also when it was
/// there before: somebody went back to it.
const MOMENTS: u64 = 10;

/// Whether this was not said by another VM just now.
pub fn is_news(host: &mut impl Host, parts: &[&[u8]]) -> bool {
    let (hash, now) = (hash(parts), Duration::from_nanos(host.now()).as_secs());
    let mut is_news = true;
    change(host, SAID, &mut |entries| {
        let last = entries.iter().find(|(known, _)| *known == hash);
        is_news = last.is_none_or(|(_, second)| now.saturating_sub(*second) > MOMENTS);
        set(entries, hash, now);
    });
    is_news
}

/// Makes it news again.
pub fn forget(host: &mut impl Host, parts: &[&[u8]]) {
    let hash = hash(parts);
    change(host, SAID, &mut |entries| {
        entries.retain(|(known, _)| *known != hash);
    });
}

/// Notes whether this plugin's configuration was refused, and counts the plugins whose last one was.
pub fn count_rejected(host: &mut impl Host, plugin: &[u8], rejected: bool) -> u64 {
    let hash = hash(&[plugin]);
    let mut count = u64::from(rejected);
    change(host, REFUSED, &mut |entries| {
        set(entries, hash, rejected.into());
        count = entries.iter().map(|(_, refused)| refused).sum();
    });
    count
}

/// Notes that there is this plugin, and counts those that there ever were.
pub fn count_plugins(host: &mut impl Host, plugin: &[u8]) -> usize {
    let hash = hash(&[plugin]);
    let mut count = 1;
    change(host, PLUGINS, &mut |entries| {
        set(entries, hash, 1);
        count = entries.len();
    });
    count
}

/// Whether there ever was more than one.
pub fn has_plugins(host: &mut impl Host) -> bool {
    let list = host.shared(PLUGINS).value;
    list.is_some_and(|list| entries(&list).len() > 1)
}

/// Notes whether this exporter reaches no collector.
pub fn set_unreachable(host: &mut impl Host, exporter: u64, is_unreachable: bool) {
    change(host, UNREACHABLE, &mut |entries| {
        entries.retain(|(known, _)| *known != exporter);
        if is_unreachable {
            entries.push((exporter, 1));
        }
    });
}

/// Whether any exporter of the process reaches no collector.
pub fn any_unreachable(host: &mut impl Host) -> bool {
    let list = host.shared(UNREACHABLE).value;
    list.is_some_and(|list| !list.is_empty())
}

/// Counts a decision to sample, unless there were `most` of them in this second of the clock. When other threads are too many, it
/// is not made: too few are less bad than too many.
pub fn admits(host: &mut impl Host, most: u32) -> bool {
    change_if(host, SAMPLED, &mut |host, entries| {
        // Read after the list, so that a worker that stood still in between finds that another has changed it. What is of a later
        // second is of a clock that was set back.
        let now = Duration::from_nanos(host.now()).as_secs();
        let count = match entries.pop() {
            Some((second, count)) if second == now => count,
            _ => 0,
        };
        entries.push((now, count.saturating_add(1)));
        count < most.into()
    })
}

/// What is known of tracers, by their listeners.
pub fn tracers(host: &mut impl Host) -> Vec<Entry> {
    let list = host.shared(TRACERS).value;
    list.map_or_else(Vec::new, |list| entries(&list))
}

/// Changes what is known of the tracer of one listener, where 0 is nothing; returns what was known before, and the list as it is
/// now.
pub fn learn_tracer(
    host: &mut impl Host,
    listener: u64,
    learn: &mut dyn FnMut(u64) -> u64,
) -> (u64, Vec<Entry>) {
    let (mut before, mut now) = (0, Vec::new());
    change(host, TRACERS, &mut |entries| {
        let known = entries.iter().find(|(known, _)| *known == listener);
        before = known.map_or(0, |(_, value)| *value);
        // What is known is not given up for what is new.
        if known.is_some() || entries.len() < MOST_TRACERS {
            set(entries, listener, learn(before));
        }
        entries.retain(|(_, value)| *value != 0);
        now.clone_from(entries);
    });
    (before, now)
}

pub type Entry = (u64, u64);

fn set(entries: &mut Vec<Entry>, key: u64, value: u64) {
    entries.retain(|(known, _)| *known != key);
    entries.push((key, value));
}

/// Changes a list. After too many tries the change is lost, which costs a line said twice.
fn change(host: &mut impl Host, key: &str, change: &mut dyn FnMut(&mut Vec<Entry>)) {
    change_if(host, key, &mut |_, entries| {
        change(entries);
        true
    });
}

/// Changes a list, until no other thread came in between, to what `change` makes of it, unless it says not to. Returns whether the
/// list was changed.
fn change_if<H: Host>(
    host: &mut H,
    key: &str,
    change: &mut dyn FnMut(&mut H, &mut Vec<Entry>) -> bool,
) -> bool {
    for _ in 0..TRIES {
        let shared = host.shared(key);
        let mut entries = entries(shared.value.as_deref().unwrap_or_default());
        if !change(host, &mut entries) {
            return false;
        }
        let forgotten = entries.len().saturating_sub(MOST);
        let value: Vec<u8> = entries
            .iter()
            .skip(forgotten)
            .flat_map(|(key, value)| [key.to_le_bytes(), value.to_le_bytes()].concat())
            .collect();
        if host.set_shared(key, &value, shared.version.unwrap_or(NONE_YET)) {
            return true;
        }
    }
    false
}

fn entries(value: &[u8]) -> Vec<Entry> {
    let (words, _) = value.as_chunks::<8>();
    let (pairs, _) = words.as_chunks::<2>();
    pairs
        .iter()
        .map(|[key, value]| (u64::from_le_bytes(*key), u64::from_le_bytes(*value)))
        .collect()
}

pub fn hash(parts: &[&[u8]]) -> u64 {
    // Keyed with zeros, so that all VMs of a process agree.
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}
