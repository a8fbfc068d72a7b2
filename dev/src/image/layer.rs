//! A layer: some files as tar, compressed. Its bytes depend on nothing but the files and the time.

use super::digest::Digest;
use anyhow::Result;
use flate2::{Compression, GzBuilder};
use std::io::Write;
use tar::{Builder, EntryType, Header};

/// A `tar+gzip`.
#[derive(Debug)]
pub struct Layer {
    /// The digest of the tar: what an image's configuration and container engines know the layer by.
    pub diff_id: Digest,
    /// The tar, compressed: what a registry keeps.
    pub gzip: Vec<u8>,
}

impl Layer {
    /// Packs `files`, each readable by everyone, owned by root and last changed at `time`.
    pub fn pack(files: &[(&str, &[u8])], time: u64) -> Result<Self> {
        let mut archive = Builder::new(Vec::new());
        for (name, bytes) in files {
            archive.append(&header(name, bytes.len() as u64, time)?, *bytes)?;
        }
        let tar = archive.into_inner()?;
        // Neither a name nor a time, and no system: what gzip adds by itself differs between machines.
        let mut gzip = GzBuilder::new()
            .operating_system(255)
            .write(Vec::new(), Compression::best());
        gzip.write_all(&tar)?;
        Ok(Self {
            diff_id: Digest::of(&tar),
            gzip: gzip.finish()?,
        })
    }
}

/// As Buildah and Podman write it, so that they make the same layer of the Dockerfile.
fn header(name: &str, size: u64, time: u64) -> Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    // With the bits that say a regular file: as they have it.
    header.set_mode(0o100_644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size);
    header.set_mtime(time);
    header.set_device_major(0)?;
    header.set_device_minor(0)?;
    header.set_cksum();
    // Six digits, a zero byte and a space, where this crate writes seven digits and a zero byte.
    let checksum = format!("{:06o}\0 ", header.cksum()?);
    header
        .as_old_mut()
        .cksum
        .copy_from_slice(checksum.as_bytes());
    Ok(header)
}
