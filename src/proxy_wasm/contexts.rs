//! Which configuration serves which context of this VM.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use crate::filter::Filter;

/// `None` is a root whose configuration was rejected: its requests pass untouched.
type Configured = Option<Rc<Filter>>;

thread_local! {
    /// Root contexts: one for each configuration and listener. Streams: one for each request in flight, with the
    /// configuration it began with.
    static CONTEXTS: RefCell<BTreeMap<u32, Configured>> = const { RefCell::new(BTreeMap::new()) };
}

/// `with_borrow_mut` would panic where a host calls back while we call it. No known host does; then nothing happens.
fn with<T>(act: impl FnOnce(&mut BTreeMap<u32, Configured>) -> T) -> Option<T> {
    CONTEXTS
        .try_with(|contexts| Some(act(&mut *contexts.try_borrow_mut().ok()?)))
        .ok()
        .flatten()
}

/// A context under its root; root contexts themselves come with root 0 and start unconfigured.
pub fn create(context: u32, root: u32) {
    with(|contexts| {
        let filter = contexts.get(&root).cloned().flatten();
        contexts.insert(context, filter);
    });
}

pub fn configure(root: u32, filter: Option<Filter>) {
    with(|contexts| contexts.insert(root, filter.map(Rc::new)));
}

pub fn filter(context: u32) -> Configured {
    with(|contexts| contexts.get(&context).cloned().flatten()).flatten()
}

pub fn delete(context: u32) {
    with(|contexts| contexts.remove(&context));
}
