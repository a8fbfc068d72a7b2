//! What the bootstrap says of the proxy, asked of the host.

use super::host::{Host, PropertyPath};
use crate::{policy::service::Node, text::clean};

pub struct HostNode<'a, H>(pub &'a mut H);

impl<H: Host> HostNode<'_, H> {
    fn text<'p>(&mut self, path: impl IntoIterator<Item = &'p str>) -> Option<String> {
        let path = PropertyPath::new(["xds", "node"].into_iter().chain(path));
        let text = self.0.property(&path).and_then(|bytes| clean(&bytes));
        text.filter(|text| !text.is_empty())
    }
}

impl<H: Host> Node for HostNode<'_, H> {
    fn metadata(&mut self, path: &[&str]) -> Option<String> {
        self.text(["metadata"].into_iter().chain(path.iter().copied()))
    }

    fn cluster(&mut self) -> Option<String> {
        self.text(["cluster"])
    }
}
