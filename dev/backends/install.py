#!/usr/bin/env python3
"""Installs pinned tracing backends, each the project's own server, for the tests and the demo.

    python3 dev/backends/install.py zipkin otelcol prometheus jaeger tempo     (or: all)
    python3 dev/backends/install.py --installed zipkin                         (only tells where it is)

Zipkin is downloaded and runs on the Java of dev/toolchains; the others are built from their sources with its Go, as
go.mod and go.sum beside this file pin them. For each name, in order, the path of its program is printed on standard
output; everything else goes to standard error.

They are kept in ${THROUGHLINE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/throughline}/backends.
"""

import pathlib
import shlex
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "toolchains")]

import maven  # noqa: E402
from pinned import run  # noqa: E402
from programs import Programs, toolchain  # noqa: E402

# In the order of their cost, with what a build fetches and, on two cores, takes.
ANNOUNCEMENTS = {
    "zipkin": "Zipkin: downloading 131 MB",
    "otelcol": "OpenTelemetry Collector: downloading 190 MB of Go sources and building them, 3 minutes",
    "prometheus": "Prometheus: downloading 150 MB of Go sources and building them, 3 minutes",
    "jaeger": "Jaeger: downloading 260 MB of Go sources and building them, 5 minutes",
    "tempo": "Tempo: downloading 250 MB of Go sources and building them, 6 minutes",
}


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


def main(arguments):
    backends = Programs(HERE, ANNOUNCEMENTS, others={"zipkin": ("java", fetch_zipkin)})
    return backends.main(__doc__, arguments)


if __name__ == "__main__":
    run(main)
