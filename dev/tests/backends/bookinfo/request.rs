//! The requests that go through the mesh.

use throughline_dev::bookinfo::Bookinfo;

/// A request, and what becomes of it.
#[derive(Debug)]
pub struct Request {
    pub name: &'static str,
    pub method: &'static str,
    /// What ratings answers.
    pub ratings: u16,
    /// What the client gets.
    pub status: u16,
}

/// All is well.
pub const ORDINARY: Request = Request {
    name: "ordinary",
    method: "GET",
    ratings: 200,
    status: 200,
};
/// ratings fails; reviews does without.
pub const FAILING: Request = Request {
    name: "failing",
    ratings: 500,
    ..ORDINARY
};
/// An AuthorizationPolicy of productpage's lets no DELETE through.
pub const DENIED: Request = Request {
    name: "denied",
    method: "DELETE",
    status: 403,
    ..ORDINARY
};

impl Request {
    pub const ALL: [Self; 3] = [ORDINARY, FAILING, DENIED];

    /// The calls that it makes, as (caller, callee).
    pub fn hops(&self, bookinfo: &Bookinfo) -> Vec<(&'static str, &'static str)> {
        let mut hops = bookinfo.hops();
        if self.status != 200 {
            hops.truncate(1);
        }
        hops
    }

    /// How many lines Envoys log of it: the caller's and the callee's.
    pub fn lines(&self, bookinfo: &Bookinfo) -> usize {
        2 * self.hops(bookinfo).len()
    }

    /// What the callee of that name answers.
    pub fn answer(&self, callee: &str) -> u16 {
        match callee {
            "ratings" => self.ratings,
            "productpage" => self.status,
            _ => 200,
        }
    }
}
