#!/usr/bin/env python3
"""Installs a program from its crate, with the dependencies that the crate pins, once into the cache, and prints its path.

    python3 dev/tool.py cargo-deny
    python3 dev/tool.py --installed cargo-deny     (only says by its exit code whether it is there)
"""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "dev"))

from pinned import Failure, cache_directory, make_once, run  # noqa: E402

# A version, and the features that we need where the default ones are more.
TOOLS = {
    "cargo-cyclonedx": ("0.5.9", None),
    "cargo-deny": ("0.20.2", None),
    "mdbook": ("0.5.4", "search"),
}


def directory(crate):
    if crate not in TOOLS:
        raise Failure(f"no {crate!r} here; there are: {', '.join(TOOLS)}")
    version, _ = TOOLS[crate]
    return cache_directory() / "tools" / f"{crate}-{version}"


def tool(crate):
    """The path of its program, which has the crate's name."""

    def make(root):
        version, features = TOOLS[crate]
        install = ["cargo", "install", "--quiet", "--locked", "--root", root, "--version", version]
        if features:
            install += ["--no-default-features", "--features", features]
        if subprocess.run([*install, crate], cwd=ROOT, stdout=sys.stderr).returncode != 0:
            raise Failure(f"{crate} could not be installed; the reason is above")

    target = directory(crate)
    make_once(target, f"installing {target.name} (a few minutes, once)", make)
    return target / "bin" / crate


def main(arguments):
    match arguments:
        case ["--installed", crate]:
            return 0 if directory(crate).is_dir() else 1
        case [crate]:
            print(tool(crate))
            return 0
    raise Failure("expected one crate; there are: " + ", ".join(TOOLS))


if __name__ == "__main__":
    run(main)
