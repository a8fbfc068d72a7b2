#!/usr/bin/env python3
"""Installs what reads the manifests: kustomize, helm, and promtool for the alerts.

    python3 dev/manifests/install.py kustomize helm promtool     (or: all)
    python3 dev/manifests/install.py --installed helm            (only tells where it is)

Each is built from its sources with the Go of dev/toolchains, as go.mod and go.sum beside this file pin them. For each
name, in order, the path of its program is printed on standard output; everything else goes to standard error.

They are kept in ${THROUGHLINE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/throughline}/manifests.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from pinned import run  # noqa: E402
from programs import Programs  # noqa: E402

# With what a build fetches and, on two cores, takes.
ANNOUNCEMENTS = {
    "kustomize": "kustomize: downloading Go sources and building them, a minute",
    "helm": "Helm: downloading Go sources and building them, 2 minutes",
    "promtool": "promtool: downloading 150 MB of Go sources and building them, 3 minutes",
}


def main(arguments):
    # promtool checks a scrape configuration that finds proxies through Kubernetes.
    return Programs(HERE, ANNOUNCEMENTS, tags="remove_all_sd,enable_kubernetes_sd").main(__doc__, arguments)


if __name__ == "__main__":
    run(main)
