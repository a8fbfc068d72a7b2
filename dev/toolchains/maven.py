"""Single files of Maven's central registry, without Maven: jgo is a client of it that pip can install."""

import hashlib
import os
import pathlib
import subprocess
import sys

from certificates import system_bundle
from pinned import Failure, install_packages

CLIENT = pathlib.Path(__file__).resolve().parent / "maven.txt"
FETCH = """
import pathlib, sys
from jgo.maven import MavenContext
repository, group, artifact, packaging, classifier, version = sys.argv[1:]
project = MavenContext(repo_cache=pathlib.Path(repository)).project(group, artifact)
print(project.at_version(version).artifact(classifier, packaging).resolve())
"""


def fetch(coordinates, sha256, scratch):
    """Downloads `group:artifact:packaging:classifier:version` into the directory `scratch` and checks its hash."""
    client = scratch / "jgo"
    install_packages("jgo, which fetches from Maven's registry", CLIENT, client)
    environment = {**os.environ, "PYTHONPATH": str(client)}
    bundle = system_bundle()
    if bundle:
        environment.setdefault("REQUESTS_CA_BUNDLE", str(bundle))
    fetched = subprocess.run(
        [sys.executable, "-c", FETCH, str(scratch / "repository"), *coordinates.split(":")],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    if fetched.returncode != 0:
        raise Failure(f"{coordinates} could not be downloaded; the reason is above")
    file = pathlib.Path(fetched.stdout.strip())
    got = hashlib.sha256(file.read_bytes()).hexdigest()
    if got != sha256:
        raise Failure(f"{coordinates} has the SHA-256 {got}, not the pinned {sha256}")
    return file
