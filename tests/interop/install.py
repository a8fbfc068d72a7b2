#!/usr/bin/env python3
"""Builds the applications in apps/, with pinned toolchains and packages, and says how to start them.

    python3 tests/interop/install.py

Standard output is one JSON object: for each application what traces it and the command that runs it. Everything else
goes to standard error.

What is built is kept in ${THROUGHLINE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/throughline}/interop, by the contents of its
sources: a change builds anew.
"""

import hashlib
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
APPS = HERE / "apps"
SDK_IN_LOCK = r'"node_modules/@opentelemetry/sdk-trace": {\s*"version": "'
sys.path.insert(0, str(ROOT / "dev"))

from pinned import Failure, cache_directory, install_packages, make_once, run  # noqa: E402


def toolchain(*names):
    """The directories of programs of those toolchains."""
    installer = ROOT / "dev/toolchains/install.py"
    found = subprocess.run([sys.executable, installer, *names], stdout=subprocess.PIPE, text=True)
    if found.returncode != 0:
        raise Failure(f"cannot install {' and '.join(names)}; the reason is above")
    return [pathlib.Path(line) for line in found.stdout.splitlines()]


def files_of(sources):
    for source in sources:
        yield from sorted(file for file in source.rglob("*") if file.is_file()) if source.is_dir() else [source]


def build(name, sources, make):
    """The directory in which `make` has built the application from `sources`."""
    digest = hashlib.sha256()
    # The pinned toolchains are sources too.
    for file in files_of([*sources, ROOT / "dev/toolchains", pathlib.Path(__file__)]):
        if file.suffix != ".pyc":
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    target = cache_directory() / "interop" / f"{name}-{digest.hexdigest()[:16]}"

    def fill(directory):
        for source in sources:
            if source.is_dir():
                shutil.copytree(source, directory, dirs_exist_ok=True)
            else:
                shutil.copy(source, directory)
        make(directory)

    return make_once(target, f"{name}: building in {target}", fill)


def command(*words, directory, programs, **environment):
    """Runs a program of a toolchain in `directory`."""
    path = os.pathsep.join([*map(str, programs), os.environ.get("PATH", os.defpath)])
    # The user's own settings stay, such as a registry's mirror.
    environment = {**os.environ, "PATH": path, **environment}
    result = subprocess.run([str(word) for word in words], cwd=directory, env=environment, stdout=sys.stderr)
    if result.returncode != 0:
        raise Failure(f"{' '.join(map(str, words[:2]))} failed in {directory}; the reason is above")


def python(sdk, launcher):
    requirements = APPS / f"python/{sdk}.txt"
    # Wheels differ between versions of Python.
    name = f"python-{sys.version_info.major}.{sys.version_info.minor}-{sdk}"

    def make(directory):
        install_packages(name, requirements, directory / "packages")

    packages = build(name, [requirements], make) / "packages"
    start = [sys.executable, packages / "bin" / launcher, sys.executable, APPS / "python/app.py"]
    return ["env", f"PYTHONPATH={packages}", *start]


def node(sdk, first):
    [programs] = toolchain("node")

    def make(directory):
        words = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        command(*words, directory=directory, programs=[programs])

    built = build(f"node-{sdk}", [APPS / f"node/{sdk}"], make)
    return [programs / "node", "--require", built / first, APPS / "node/app.js"]


def go(name, *sources):
    [programs] = toolchain("go")

    def make(directory):
        words = ["go", "build", "-trimpath", "-buildvcs=false", "-o", "app", "."]
        command(*words, directory=directory, programs=[programs], GOTOOLCHAIN="local", GOFLAGS="-mod=readonly")

    return [build(f"go-{name}", [APPS / "go" / source for source in sources], make) / "app"]


def java(name, main, *options):
    java_programs, maven = toolchain("java", "maven")

    def make(directory):
        words = ["mvn", "--batch-mode", "--quiet", "-Dstyle.color=never", *trusted_checksums(directory)]
        words += [f"-Dmaven.repo.local={cache_directory()}/maven", "compile", "dependency:copy-dependencies"]
        home = str(java_programs.parent)
        command(*words, directory=directory, programs=[java_programs, maven], JAVA_HOME=home)

    built = build(f"java-{name}", [APPS / f"java/{name}"], make) / "target"
    options = [option.format(jars=built / "dependency") for option in options]
    # A service that lives for seconds gains nothing from the second compiler.
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    return [java_programs / "java", *quick, *options, "-cp", f"{built}/classes:{built}/dependency/*", main]


def trusted_checksums(directory):
    """Makes Maven refuse every file that is not in checksums.sha256, its own plugins included."""
    processor = "-Daether.artifactResolver.postProcessor.trustedChecksums"
    source = "-Daether.trustedChecksumsSource.summaryFile"
    return [
        processor,
        f"{processor}.checksumAlgorithms=SHA-256",
        f"{processor}.failIfMissing=true",
        source,
        f"{source}.originAware=false",
        f"{source}.basedir={directory}",
    ]


def pinned_version(file, before):
    """The version that a file pins, after the text that the pattern `before` matches."""
    found = re.search(before + r"v?(\d[\d.]*)", (APPS / file).read_text(), re.MULTILINE)
    if not found:
        raise Failure(f"{file} pins no version after {before!r}")
    return found.group(1)


def applications():
    """What traces each application, with its version, and the command that runs it."""
    yield (
        "python-opentelemetry",
        f"OpenTelemetry Python {pinned_version('python/opentelemetry.txt', '^opentelemetry-sdk==')}",
        python("opentelemetry", "opentelemetry-instrument"),
    )
    for line in ["1.16", "1.38", "1.47"]:
        name = f"opentelemetry-{line}"
        sdk = f"OpenTelemetry Go {pinned_version(f'go/opentelemetry/{line}/go.mod', '/otel ')}"
        yield f"go-{name}", sdk, go(name, "opentelemetry/main.go", f"opentelemetry/{line}")
    agent = pinned_version("java/opentelemetry/pom.xml", r"opentelemetry-javaagent</artifactId>\s*<version>")
    yield (
        "java-opentelemetry",
        f"OpenTelemetry Java agent {agent}",
        java("opentelemetry", "App", f"-javaagent:{{jars}}/opentelemetry-javaagent-{agent}.jar"),
    )
    yield (
        "node-opentelemetry",
        f"OpenTelemetry JS {pinned_version('node/opentelemetry/package-lock.json', SDK_IN_LOCK)}",
        node("opentelemetry", "tracing.js"),
    )
    brave = pinned_version("java/brave/pom.xml", r"io.zipkin.brave</groupId>\s*<artifactId>.*\s*<version>")
    yield "java-brave", f"Brave {brave}", java("brave", "App")
    boot = pinned_version("java/spring/pom.xml", r"spring-boot-dependencies</artifactId>\s*<version>")
    yield "java-spring", f"Spring Boot {boot} with Brave", java("spring", "throughline.App")
    yield "go-zipkin", f"Zipkin Go {pinned_version('go/zipkin/go.mod', '/zipkin-go ')}", go("zipkin", "zipkin")
    yield (
        "python-datadog",
        f"Datadog Python {pinned_version('python/datadog.txt', '^ddtrace==')}",
        python("datadog", "ddtrace-run"),
    )
    tracer = pinned_version("node/datadog/package.json", '"dd-trace": "')
    yield (
        "node-datadog",
        f"Datadog JS {tracer}",
        node("datadog", "node_modules/dd-trace/init.js"),
    )


def main(arguments):
    if arguments:
        raise Failure(f"takes no arguments\n{__doc__}")
    if sys.version_info < (3, 10):
        raise Failure(f"FastAPI needs Python 3.10, this is {platform.python_version()}")
    built = {name: {"sdk": sdk, "command": [str(word) for word in words]} for name, sdk, words in applications()}
    print(json.dumps(built, indent=2))
    return 0


if __name__ == "__main__":
    run(main)
