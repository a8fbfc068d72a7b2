#!/usr/bin/env python3
"""Installs crane, which pushes images, and for the tests a registry: the distribution project's.

    python3 dev/registry/install.py crane registry      (or: all)
    python3 dev/registry/install.py --installed crane   (only tells where it is)

Each is built from its sources with the Go of dev/toolchains, as go.mod and go.sum beside this file pin them. For each
name, in order, the path of its program is printed on standard output; everything else goes to standard error.

They are kept in ${THROUGHLINE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/throughline}/registry.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from pinned import run  # noqa: E402
from programs import Programs  # noqa: E402

# With what a build fetches and, on two cores, takes.
ANNOUNCEMENTS = {
    "crane": "crane: downloading 10 MB of Go sources and building them, a minute",
    "registry": "registry: downloading Go sources and building them, 2 minutes",
}


def main(arguments):
    return Programs(HERE, ANNOUNCEMENTS).main(__doc__, arguments)


if __name__ == "__main__":
    run(main)
