//! The image's bytes, and what is pinned where. What needs a registry is in ../registry.

mod contents;
mod layout;
mod pin;
mod provenance;

use throughline_dev::image::{Contents, Provenance};

/// The smallest module there is.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

fn contents() -> Contents {
    Contents {
        module: MODULE.to_vec(),
        license: b"Apache-2.0\n".to_vec(),
        notices: b"MIT\n".to_vec(),
        sbom: br#"{"bomFormat":"CycloneDX"}"#.to_vec(),
    }
}

fn provenance() -> Provenance {
    Provenance {
        version: "1.2.3".to_owned(),
        revision: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
        created: 1_790_000_000,
    }
}
