//! Which configuration serves which context of this VM, and where each request stands.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use crate::filter::{Filter, Reply, Stream};

/// A root context (one for each configuration and listener), or a stream (one for each request in flight, with the
/// configuration it began with).
struct Context {
    /// `None` where the configuration was rejected: requests pass untouched.
    filter: Option<Rc<Filter>>,
    /// The root context of a stream; 0 for a root.
    root: u32,
    stream: Stream,
    /// A root that was told to go.
    leaves: bool,
}

thread_local! {
    static CONTEXTS: RefCell<BTreeMap<u32, Context>> = const { RefCell::new(BTreeMap::new()) };
}

/// `with_borrow_mut` would panic where a host calls back while we call it. No known host does; then nothing happens.
fn with<T>(act: impl FnOnce(&mut BTreeMap<u32, Context>) -> T) -> Option<T> {
    CONTEXTS
        .try_with(|contexts| Some(act(&mut *contexts.try_borrow_mut().ok()?)))
        .ok()
        .flatten()
}

/// A context under its root; root contexts themselves come with root 0 and start unconfigured.
pub fn create(id: u32, root: u32) {
    with(|contexts| {
        let filter = contexts
            .get(&root)
            .and_then(|context| context.filter.clone());
        let context = Context {
            filter,
            root,
            stream: Stream::default(),
            leaves: false,
        };
        contexts.insert(id, context);
    });
}

pub fn configure(root: u32, filter: Option<Filter>) {
    with(|contexts| {
        if let Some(context) = contexts.get_mut(&root) {
            context.filter = filter.map(Rc::new);
        }
    });
}

pub fn filter(id: u32) -> Option<Rc<Filter>> {
    with(|contexts| contexts.get(&id)?.filter.clone()).flatten()
}

/// Forgets a stream. For a root context its filter, which has the last word on whether it goes.
pub fn forget_unless_root(id: u32) -> Option<Rc<Filter>> {
    with(|contexts| {
        let context = contexts.get_mut(&id)?;
        if context.root != 0 {
            contexts.remove(&id);
            return None;
        }
        context.leaves = true;
        context.filter.clone()
    })
    .flatten()
}

/// Whether a root context stays when `id` goes, and with it the VM.
pub fn any_root_but(id: u32) -> bool {
    with(|contexts| {
        let mut roots = contexts.iter().filter(|(_, context)| context.root == 0);
        roots.any(|(known, context)| *known != id && !context.leaves)
    })
    .unwrap_or(false)
}

pub fn set_stream(id: u32, stream: Stream) {
    with(|contexts| {
        if let Some(context) = contexts.get_mut(&id) {
            context.stream = stream;
        }
    });
}

/// The filter of a stream and what its response is to say, if anything.
pub fn response(id: u32) -> Option<(Rc<Filter>, Box<Reply>)> {
    with(|contexts| {
        let context = contexts.get_mut(&id)?;
        let reply = context.stream.response()?;
        Some((context.filter.clone()?, reply))
    })
    .flatten()
}

/// The filter of a stream and where it stands; it ends with this.
pub fn end_stream(id: u32) -> Option<(Rc<Filter>, Stream)> {
    with(|contexts| {
        let context = contexts.get_mut(&id)?;
        // Whoever asks again finds that it is over.
        let stream = core::mem::replace(&mut context.stream, Stream::OVER);
        Some((context.filter.clone()?, stream))
    })
    .flatten()
}

pub fn delete(id: u32) {
    with(|contexts| contexts.remove(&id));
}
