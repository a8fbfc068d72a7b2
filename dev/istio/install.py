#!/usr/bin/env python3
"""Installs a control plane for the tests: Istio's own programs and Kubernetes' API server, each built from its sources.

    python3 dev/istio/install.py kubernetes istio-1.31 istio-1.29     (or: all)
    python3 dev/istio/install.py --installed istio-1.31               (only tells where it is)

They are built with the Go of dev/toolchains, as kubernetes/go.mod and checks/*.mod beside this file pin them. For each
name, in order, the directory with its programs is printed on standard output; everything else goes to standard error.

  kubernetes        kube-apiserver, kubectl, etcd
  istio-<line>      pilot-discovery, pilot-agent, istioctl, with the files of theirs that the tests need
  checks-<line>     checks/, the Go tests that call Istio's own code, as one program
  tools             crane, and hbone from checks/: a client of waypoints

They are kept in ${THROUGHLINE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/throughline}/istio, with the sources (2 GB) and objects
(7 GB) of all of them, so that a change to checks/ is built in seconds; Go forgets objects that were not used for five days.
"""

import hashlib
import json
import pathlib
import platform
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from pinned import Failure, cache_directory, locked, make_once, run, say  # noqa: E402
from programs import QUICKLY, SETTINGS, TOOLCHAINS, run_go, toolchain  # noqa: E402

KUBERNETES = "1.36.3"
# Each line with its release and the file that pins it.
ISTIO = {"1.31": ("1.31.1", "go.mod"), "1.29": ("1.29.2", "1.29.mod")}
KEPT = cache_directory() / "istio"
# Istio's files, by the name under which they are kept.
FILES = {
    "crds.yaml": ("istio.io/istio", "manifests/charts/base/files/crd-all.gen.yaml"),
    "bootstrap.json": ("istio.io/istio", "tools/packaging/common/envoy_bootstrap.json"),
    "gateway-crds": ("sigs.k8s.io/gateway-api", "config/crd/standard"),
}


def go(what, folder, *arguments):
    run_go(what, arguments, folder, KEPT / "sources", KEPT / "objects")


def build_kubernetes(directory):
    version = "k8s.io/component-base/version"
    # Without a version kubectl refuses to talk to the server.
    numbers = dict(zip(("gitMajor", "gitMinor"), KUBERNETES.split(".")), gitVersion=f"v{KUBERNETES}")
    flags = " ".join(["-s -w", *(f"-X {version}.{key}={value}" for key, value in numbers.items())])
    packages = ["k8s.io/kubernetes/cmd/kube-apiserver", "k8s.io/kubernetes/cmd/kubectl"]
    folder = HERE / "kubernetes"
    go("Kubernetes", folder, "build", "-v", *QUICKLY, f"-ldflags={flags}", "-o", f"{directory}/", *packages)
    go("etcd", folder, "build", "-v", *QUICKLY, "-o", str(directory / "etcd"), "go.etcd.io/etcd/server/v3")


def pilot(line):
    """Istio's programs, and the files of its modules."""
    release, pins = ISTIO[line]
    packages = [f"istio.io/istio/{path}" for path in ("pilot/cmd/pilot-discovery", "pilot/cmd/pilot-agent", "istioctl/cmd/istioctl")]

    def build(directory):
        version = f"-ldflags=-s -w -X istio.io/istio/pkg/version.buildVersion={release}"
        go(f"Istio {release}", HERE / "checks", "build", "-v", *QUICKLY, f"-modfile={pins}", version, "-o", f"{directory}/", *packages)
        for name, (module, path) in FILES.items():
            source = source_of(module, pins) / path
            copy = shutil.copytree if source.is_dir() else shutil.copyfile
            copy(source, directory / name)

    return build


def source_of(module, pins):
    """The folder in which Go keeps a module that it has downloaded."""
    command = [str(toolchain("go") / "go"), "mod", "edit", "-json", pins]
    pinned = json.loads(subprocess.run(command, cwd=HERE / "checks", stdout=subprocess.PIPE, check=True).stdout)
    version = next(required["Version"] for required in pinned["Require"] if required["Path"] == module)
    return KEPT / "sources" / f"{module}@{version}"


def checks(line):
    release, pins = ISTIO[line]

    def build(directory):
        go(f"the checks of Istio {release}", HERE / "checks", "test", *QUICKLY, f"-modfile={pins}", "-c", "-o", str(directory / "checks"))

    return build


def build_tools(directory):
    packages = ["github.com/google/go-containerregistry/cmd/crane", "./hbone"]
    go("crane and hbone", HERE / "checks", "build", "-v", *QUICKLY, "-o", f"{directory}/", *packages)


# In the order of what they share, with what is said before they are built.
SETS = {
    "kubernetes": (f"Kubernetes {KUBERNETES}: building its API server, kubectl and etcd, 9 minutes", "kubernetes", build_kubernetes),
    "tools": ("crane and hbone: building them, 1 minute", "checks", build_tools),
}
for line, (release, _) in ISTIO.items():
    SETS[f"istio-{line}"] = (f"Istio {release}: building istiod, its agent and istioctl, 8 minutes", "checks", pilot(line))
    SETS[f"checks-{line}"] = (f"Istio {release}: building what calls its code, 2 minutes", "checks", checks(line))


def directory_of(name):
    """Named for what is pinned, so that a changed pin is another directory; sources of ours count where they are built."""
    what, _, line = name.partition("-")
    pins = HERE / "checks" / ISTIO[line][1] if line else HERE / SETS[name][1] / "go.mod"
    ours = [] if what in ("kubernetes", "istio") else sorted((HERE / "checks").rglob("*.go"))
    digest = hashlib.sha256(pathlib.Path(__file__).read_bytes() + SETTINGS)
    for file in [pins, pins.with_suffix(".sum"), *ours, TOOLCHAINS / "go.txt"]:
        digest.update(file.read_bytes())
    return KEPT / name / digest.hexdigest()[:12]


def install(names):
    # One run at a time, as one build alone takes every core and some GB of memory.
    with locked(KEPT / "making"):
        for name in names:
            announcement, _, make = SETS[name]
            make_once(directory_of(name), announcement, make)


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        say(f"{__doc__}\npinned: {' '.join(SETS)}")
        return 0 if arguments else 2
    only_tell = arguments[0] == "--installed"
    names = arguments[only_tell:]
    names = list(SETS) if names == ["all"] else names
    for name in names:
        if name not in SETS:
            raise Failure(f"no pinned {name!r}; there are: {' '.join(SETS)}")
    missing = [name for name in names if not directory_of(name).is_dir()]
    if only_tell and missing:
        raise Failure(f"not installed: run python3 dev/istio/install.py {' '.join(missing)}")
    if missing:
        if platform.system() != "Linux":
            raise Failure(f"they are for Linux only, this is {platform.system()}; run in a Linux container")
        install(missing)
    for name in names:
        print(directory_of(name), flush=True)
    return 0


if __name__ == "__main__":
    run(main)
