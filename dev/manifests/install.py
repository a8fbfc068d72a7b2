#!/usr/bin/env python3
"""Installs what reads the manifests: kustomize, helm, promtool for the alerts, and what compose files are loaded with.

    python3 dev/manifests/install.py kustomize helm promtool compose envoy-gateway     (or: all)
    python3 dev/manifests/install.py --installed helm                                  (only tells where it is)

Each is built from its sources with the Go of dev/toolchains, as go.mod and go.sum beside this file pin them. For each
name, in order, the path of its program is printed on standard output; everything else goes to standard error. Of
envoy-gateway it is no program but the schema of EnvoyExtensionPolicy.

They are kept in ${THROUGHLINE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/throughline}/manifests.
"""

import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from pinned import run  # noqa: E402
from programs import Programs, run_go  # noqa: E402

# With what a build fetches and, on two cores, takes.
ANNOUNCEMENTS = {
    "kustomize": "kustomize: downloading Go sources and building them, a minute",
    "compose": "compose: downloading Go sources and building them, a minute",
    "envoy-gateway": "Envoy Gateway: downloading 10 MB",
    "helm": "Helm: downloading Go sources and building them, 2 minutes",
    "promtool": "promtool: downloading 150 MB of Go sources and building them, 3 minutes",
}


def fetch_schema(directory, scratch):
    module, sources = "github.com/envoyproxy/gateway", scratch / "sources"
    run_go("Envoy Gateway", ["mod", "download", module], HERE / "envoy-gateway", sources, scratch / "objects")
    [folder] = sources.glob(f"{module}@*")
    schema = "charts/gateway-helm/charts/crds/crds/generated/gateway.envoyproxy.io_envoyextensionpolicies.yaml"
    shutil.copyfile(folder / schema, directory / "envoy-gateway")


def main(arguments):
    others = {"envoy-gateway": ("go", fetch_schema)}
    # promtool checks a scrape configuration that finds proxies through Kubernetes.
    return Programs(HERE, ANNOUNCEMENTS, others, tags="remove_all_sd,enable_kubernetes_sd").main(__doc__, arguments)


if __name__ == "__main__":
    run(main)
