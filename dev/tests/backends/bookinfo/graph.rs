//! The dependency graph that the requests must draw.

use super::request::Request;
use super::tree::service;
use throughline_dev::backends::Edges;
use throughline_dev::bookinfo::Bookinfo;

/// That of all requests, each played so many times.
pub fn edges(bookinfo: &Bookinfo, times: usize) -> Edges {
    let mut edges = Edges::new();
    let hops = |request: &Request| request.hops(bookinfo);
    for (caller, callee) in Request::ALL.iter().flat_map(hops) {
        *edges.entry((service(caller), service(callee))).or_default() += times as u64;
    }
    edges
}
