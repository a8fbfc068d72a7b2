#!/usr/bin/env python3
"""Installs pinned tracing backends, each the project's own server, for the tests and the demo.

    python3 dev/backends/install.py zipkin otelcol prometheus jaeger tempo     (or: all)
    python3 dev/backends/install.py --installed zipkin                         (only tells where it is)

Zipkin is downloaded and runs on the Java of dev/toolchains; the others are built from their sources with its Go, as
go.mod and go.sum beside this file pin them. For each name, in order, the path of its program is printed on standard
output; everything else goes to standard error.

They are kept in ${THROUGHLINE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/throughline}/backends.
"""

import functools
import hashlib
import os
import pathlib
import platform
import re
import shlex
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOOLCHAINS = HERE.parent / "toolchains"
sys.path[:0] = [str(HERE.parent), str(TOOLCHAINS)]

import maven  # noqa: E402
from pinned import Failure, cache_directory, locked, make_once, run, say  # noqa: E402

# In the order of their cost, with what a build fetches and, on two cores, takes.
ANNOUNCEMENTS = {
    "zipkin": "Zipkin: downloading 131 MB",
    "otelcol": "OpenTelemetry Collector: downloading 190 MB of Go sources and building them, 3 minutes",
    "prometheus": "Prometheus: downloading 150 MB of Go sources and building them, 3 minutes",
    "jaeger": "Jaeger: downloading 260 MB of Go sources and building them, 5 minutes",
    "tempo": "Tempo: downloading 250 MB of Go sources and building them, 6 minutes",
}
# What `go build -v` says as it goes on: a module, or the path of a package.
STEP = re.compile(r"(go: downloading .*|[\w./~+-]+)\n")


def toolchain_of(name):
    return "java" if name == "zipkin" else "go"


def directory_of(name):
    """Named for what is pinned, so that a changed pin is another directory."""
    pins = hashlib.sha256()
    for file in [*sorted((HERE / name).iterdir()), TOOLCHAINS / f"{toolchain_of(name)}.txt"]:
        pins.update(file.read_bytes())
    return cache_directory() / "backends" / name / pins.hexdigest()[:12]


def program_of(name):
    return directory_of(name) / name


def toolchain(name):
    """Where the programs of a toolchain are."""
    install = [sys.executable, str(TOOLCHAINS / "install.py"), name]
    installed = subprocess.run(install, stdout=subprocess.PIPE, text=True)
    if installed.returncode != 0:
        raise Failure(f"{name} could not be installed; the reason is above")
    return pathlib.Path(installed.stdout.strip())


def fetch_zipkin(directory, scratch):
    lines = (HERE / "zipkin" / "jar.txt").read_text().splitlines()
    coordinates, sha256 = (line for line in lines if not line.startswith("#"))
    maven.fetch(coordinates, sha256.removeprefix("sha256:"), scratch).rename(directory / "zipkin.jar")
    java = toolchain("java") / "java"
    # exec, so that whoever starts this can end it by its process id.
    launcher = f'#!/bin/sh\nexec {shlex.quote(str(java))} -jar "$(dirname "$0")/zipkin.jar" "$@"\n'
    program = directory / "zipkin"
    program.write_text(launcher)
    program.chmod(0o755)


def build_with_go(name, directory, scratch):
    go = toolchain("go") / "go"
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        # Prometheus needs none of its service discoveries; the others do not know the tag.
        "GOFLAGS": "-mod=readonly -modcacherw -trimpath -buildvcs=false -tags=remove_all_sd",
        "GOTOOLCHAIN": "local",
        # Of whatever Go the machine has of its own.
        "GOROOT": "",
        "GOOS": "",
        "GOARCH": "",
        "GOWORK": "off",
        # Sources and objects take several GB, which nobody needs afterwards.
        "GOCACHE": str(scratch / "objects"),
        "GOMODCACHE": str(scratch / "sources"),
        "GOTMPDIR": str(scratch),
    }
    package = "." if (HERE / name / "main.go").is_file() else "tool"
    command = [str(go), "build", "-v", "-ldflags=-s -w", "-o", str(directory / name), package]
    done = 0
    with subprocess.Popen(command, cwd=HERE / name, env=environment, stderr=subprocess.PIPE, text=True) as build:
        for line in build.stderr:
            if not STEP.fullmatch(line):
                say(line.rstrip())
                continue
            done += 1
            if done % 250 == 0:
                say(f"  {name}: {done} modules downloaded and packages built")
    if build.returncode != 0:
        raise Failure(f"{name} could not be built; the reason is above")


def make(name, scratch, directory):
    if name == "zipkin":
        fetch_zipkin(directory, scratch)
    else:
        build_with_go(name, directory, scratch)


def install(names):
    # One run at a time, as one build alone takes every core and some GB of memory.
    scratch = cache_directory() / "backends" / "making"
    with locked(scratch):
        # Left behind by a run that was killed.
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            for name in names:
                make_once(directory_of(name), ANNOUNCEMENTS[name], functools.partial(make, name, scratch))
        finally:
            shutil.rmtree(scratch)


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        say(f"{__doc__}\npinned: {' '.join(ANNOUNCEMENTS)}")
        return 0 if arguments else 2
    only_tell = arguments[0] == "--installed"
    names = arguments[only_tell:]
    names = list(ANNOUNCEMENTS) if names == ["all"] else names
    for name in names:
        if name not in ANNOUNCEMENTS:
            raise Failure(f"no pinned {name!r}; there are: {' '.join(ANNOUNCEMENTS)}")
    missing = [name for name in names if not directory_of(name).is_dir()]
    if only_tell and missing:
        raise Failure(f"not installed: run python3 dev/backends/install.py {' '.join(missing)}")
    if missing:
        if platform.system() != "Linux":
            raise Failure(f"the backends are for Linux only, this is {platform.system()}; run in a Linux container")
        install(missing)
    for name in names:
        print(program_of(name), flush=True)
    return 0


if __name__ == "__main__":
    run(main)
