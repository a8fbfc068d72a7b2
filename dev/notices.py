#!/usr/bin/env python3
"""Writes the licences of what is linked into the module to standard output: the texts that have to come along with it.

    python3 dev/notices.py < bill-of-materials.json

They are those of the bill's components: of crates, from their sources, and of Rust's standard library, from the toolchain.
"""

import html
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from pinned import Failure, run, say  # noqa: E402

ROOT = HERE.parent
LICENSE_FILE = re.compile(r"(licen[cs]e|copying|copyright|notice|unlicense)\b.*", re.IGNORECASE)


def output_of(*command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8")
    if done.returncode != 0:
        raise Failure(f"{command[0]} failed; the reason is above")
    return done.stdout


def sources():
    """Where Cargo keeps each crate's sources."""
    metadata = json.loads(output_of("cargo", "metadata", "--quiet", "--locked", "--filter-platform=wasm32-wasip1", "--format-version=1"))
    packages = metadata["packages"]
    return {(package["name"], package["version"]): pathlib.Path(package["manifest_path"]).parent for package in packages}


def texts_of_crate(directory):
    files = sorted(file for file in directory.iterdir() if file.is_file() and LICENSE_FILE.fullmatch(file.name))
    return [file.read_text(encoding="utf-8").strip("\n") for file in files]


def text_of_standard_library():
    page = pathlib.Path(output_of("rustc", "--print=sysroot").strip()) / "share/doc/rust/COPYRIGHT-library.html"
    text = html.unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")))
    return re.sub(r"\n\s*\n", "\n\n", text).strip()


def notices(bill):
    crates = sources()
    # Each text, with those who use it: most have the same.
    users = {}
    for component in bill["components"]:
        name, version = component["name"], component["version"]
        if name == "rust-std":
            texts = [text_of_standard_library()]
        else:
            texts = texts_of_crate(crates[name, version]) if (name, version) in crates else []
        if not texts:
            raise Failure(f"{name} {version} comes without the text of its licence")
        title = f"{name} {version} ({component['licenses'][0]['expression']})"
        for text in texts:
            users.setdefault(text, []).append(title)
    rule = "-" * 80
    parts = ["Throughline is under the terms in LICENSE. Linked into it are these, under terms of their own."]
    parts += [rule + "\n" + "\n".join(titles) + "\n\n" + text for text, titles in users.items()]
    return "\n\n".join(parts) + "\n"


def main(arguments):
    if arguments:
        say(__doc__)
        return 0 if arguments[0] in ("-h", "--help") else 2
    sys.stdout.reconfigure(encoding="utf-8")
    try:
        bill = json.load(sys.stdin)
    except ValueError as error:
        raise Failure(f"standard input is no bill of materials: {error}") from None
    sys.stdout.write(notices(bill))
    return 0


if __name__ == "__main__":
    run(main)
