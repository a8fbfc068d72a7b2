"""What the installers of programs share: pins in a folder for each, a cache that is named for them, and builds from Go sources.

    python3 dev/<folder>/install.py a b                (or: all)
    python3 dev/<folder>/install.py --installed a      (only tells where it is)

For each name, in order, the path of its program is printed on standard output; everything else goes to standard error.
They are kept in ${THROUGHLINE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/throughline}/<folder>.
"""

import dataclasses
import functools
import hashlib
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

from pinned import Failure, cache_directory, locked, make_once, say

TOOLCHAINS = pathlib.Path(__file__).resolve().parent / "toolchains"
# What `go build -v` says as it goes on: a module, or the path of a package.
STEP = re.compile(r"(go: downloading .*|[\w./~+-]+)\n")


def toolchain(name):
    """Where the programs of a toolchain are."""
    install = [sys.executable, str(TOOLCHAINS / "install.py"), name]
    installed = subprocess.run(install, stdout=subprocess.PIPE, text=True)
    if installed.returncode != 0:
        raise Failure(f"{name} could not be installed; the reason is above")
    return pathlib.Path(installed.stdout.strip())


GOFLAGS = "-mod=readonly -modcacherw -trimpath -buildvcs=false"
# For servers of tests: without inlining and debugging information they are built in two thirds of the time.
QUICKLY = ["-gcflags=all=-l -dwarf=false", "-ldflags=-s -w"]


# What a program is, beside its sources.
SETTINGS = " ".join([GOFLAGS, *QUICKLY]).encode()


def run_go(what, arguments, folder, sources, objects, tags=""):
    """Runs the pinned Go in `folder`, which pins what it fetches into `sources`; it keeps what it built in `objects`."""
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOFLAGS": f"{GOFLAGS} -tags={tags}",
        "GOTOOLCHAIN": "local",
        # Of whatever Go the machine has of its own.
        "GOROOT": "",
        "GOOS": "",
        "GOARCH": "",
        "GOWORK": "off",
        # The compiler collects less often: a fifth less of processor, for some memory.
        "GOGC": "400",
        "GOCACHE": str(objects),
        "GOMODCACHE": str(sources),
    }
    command = [str(toolchain("go") / "go"), *arguments]
    done = 0
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as build:
        for line in build.stderr:
            if not STEP.fullmatch(line):
                say(line.rstrip())
                continue
            done += 1
            if done % 250 == 0:
                say(f"  {what}: {done} modules downloaded and packages built")
    if build.returncode != 0:
        raise Failure(f"{what} could not be built; the reason is above")


def build_with_go(pins, program, scratch, tags):
    """Builds the main package in the folder `pins`, or else the tool that its go.mod names."""
    package = "." if (pins / "main.go").is_file() else "tool"
    build = ["build", "-v", *QUICKLY, "-o", str(program), package]
    # Sources and objects take several GB, which nobody needs afterwards.
    run_go(program.name, build, pins, scratch / "sources", scratch / "objects", tags)


@dataclasses.dataclass
class Programs:
    # Has a folder of pins for each program.
    folder: pathlib.Path
    # Each program, in the order of cost, with what is said before it is fetched and built.
    announcements: dict
    # Those that are not built with Go: the toolchain they run on, and what makes them in (directory, scratch).
    others: dict = dataclasses.field(default_factory=dict)
    # Of all builds. Prometheus needs none of its service discoveries; the others do not know the tag.
    tags: str = "remove_all_sd"

    def directory_of(self, name):
        """Named for what is pinned, so that a changed pin is another directory."""
        toolchain_name = self.others[name][0] if name in self.others else "go"
        pins = hashlib.sha256(SETTINGS)
        for file in [*sorted((self.folder / name).iterdir()), TOOLCHAINS / f"{toolchain_name}.txt"]:
            pins.update(file.read_bytes())
        return cache_directory() / self.folder.name / name / pins.hexdigest()[:12]

    def make(self, name, scratch, directory):
        if name in self.others:
            self.others[name][1](directory, scratch)
        else:
            build_with_go(self.folder / name, directory / name, scratch, self.tags)

    def install(self, names):
        # One run at a time, as one build alone takes every core and some GB of memory.
        scratch = cache_directory() / self.folder.name / "making"
        with locked(scratch):
            # Left behind by a run that was killed.
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            try:
                for name in names:
                    make = functools.partial(self.make, name, scratch)
                    make_once(self.directory_of(name), self.announcements[name], make)
            finally:
                shutil.rmtree(scratch)

    def main(self, usage, arguments):
        if not arguments or arguments[0] in ("-h", "--help"):
            say(f"{usage}\npinned: {' '.join(self.announcements)}")
            return 0 if arguments else 2
        only_tell = arguments[0] == "--installed"
        names = arguments[only_tell:]
        names = list(self.announcements) if names == ["all"] else names
        for name in names:
            if name not in self.announcements:
                raise Failure(f"no pinned {name!r}; there are: {' '.join(self.announcements)}")
        missing = [name for name in names if not self.directory_of(name).is_dir()]
        if only_tell and missing:
            raise Failure(f"not installed: run python3 dev/{self.folder.name}/install.py {' '.join(missing)}")
        if missing:
            if platform.system() != "Linux":
                raise Failure(f"they are for Linux only, this is {platform.system()}; run in a Linux container")
            self.install(missing)
        for name in names:
            print(self.directory_of(name) / name, flush=True)
        return 0
