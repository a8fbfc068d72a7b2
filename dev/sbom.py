#!/usr/bin/env python3
"""Writes the bill of materials of the module to standard output: in CycloneDX, what is linked into it and nothing else.

    SOURCE_DATE_EPOCH=1790000000 python3 dev/sbom.py

Made by OWASP's cargo-cyclonedx, which dev/tool.py pins. It is the same on every machine.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from pinned import Failure, run, say  # noqa: E402
from tool import tool  # noqa: E402

ROOT = HERE.parent


def only_the_module(manifest):
    """The workspace's manifest without what tests and tools need: Cargo joins their features to the module's."""
    table, kept = "", []
    for line in manifest.splitlines():
        table = line if line.startswith("[") else table
        if table == "[workspace]" and line.startswith("members"):
            kept.append('members = ["."]')
        elif table != "[dev-dependencies]":
            kept.append(line)
    return "\n".join(kept) + "\n"


def bill(scratch):
    """What the tool writes for a copy of the package, as it writes beside the manifest."""
    shutil.copytree(ROOT / "src", scratch / "src")
    for name in ("Cargo.lock", "rust-toolchain.toml"):
        shutil.copy(ROOT / name, scratch)
    (scratch / "Cargo.toml").write_text(only_the_module((ROOT / "Cargo.toml").read_text()))
    command = [tool("cargo-cyclonedx"), "cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5", "--all", "--no-build-deps"]
    command += ["--target", "wasm32-wasip1", "--override-filename", "sbom", "--manifest-path", scratch / "Cargo.toml"]
    if subprocess.run(command, cwd=scratch, stdout=sys.stderr).returncode != 0:
        raise Failure("cargo-cyclonedx failed; the reason is above")
    return (scratch / "sbom.json").read_text()


def without_paths(text):
    """Where it was built is nobody's business, and differs."""
    text = re.sub(r'path\+file://[^"#]*#(?:throughline@)?', "throughline@", text)
    return re.sub(r'\?download_url=file:[^"#]*', "", text)


def add_standard_library(document):
    """Linked too, but no crate that Cargo knows."""
    version = re.search(r'^channel = "(.+)"$', (ROOT / "rust-toolchain.toml").read_text(), re.MULTILINE).group(1)
    component = {
        "type": "library",
        "bom-ref": f"rust-std@{version}",
        "name": "rust-std",
        "version": version,
        "description": "Rust's standard library for wasm32-wasip1, with the crates and the wasi-libc that it contains",
        "scope": "required",
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
        "externalReferences": [{"type": "website", "url": "https://www.rust-lang.org/"}],
    }
    document["components"].append(component)
    module = document["metadata"]["component"]["bom-ref"]
    for dependency in document["dependencies"]:
        if dependency["ref"] == module:
            dependency["dependsOn"].append(component["bom-ref"])
    document["dependencies"].append({"ref": component["bom-ref"]})


def main(arguments):
    if arguments:
        say(__doc__)
        return 0 if arguments[0] in ("-h", "--help") else 2
    if not os.environ.get("SOURCE_DATE_EPOCH"):
        raise Failure("set SOURCE_DATE_EPOCH: the time that the document is to have")
    target = ROOT / "target"
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".sbom-", dir=target) as scratch:
        document = json.loads(without_paths(bill(pathlib.Path(scratch))))
    add_standard_library(document)
    print(json.dumps(document, indent=1, sort_keys=True))
    return 0


if __name__ == "__main__":
    run(main)
