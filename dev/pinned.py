"""What the installers in these folders share: the cache, pip with hashes, and nothing half-done left behind.

Only Python's standard library is needed, and pip or venv.
"""

import contextlib
import fcntl
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile


class Failure(Exception):
    """Something the user can act on: printed without a traceback."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def cache_directory():
    own = os.environ.get("THROUGHLINE_CACHE")
    if own:
        return pathlib.Path(own).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "throughline"


def announced_size(requirements):
    """The size that a file of hashes gives for this machine, as `# x86_64: 30 MB`; None when it has none for it."""
    found = re.search(rf"^# {re.escape(platform.machine())}: (.+)$", requirements.read_text(), re.MULTILINE)
    return found and found.group(1)


@contextlib.contextmanager
def locked(target):
    """One run at a time: the second waits, and then finds what the first has made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / f".{target.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_once(target, announcement, make):
    """Makes the directory `target` if it is not there. `make(scratch)` fills a directory beside it that is then renamed,
    so that nobody ever sees half of it."""
    if target.is_dir():
        return target
    with locked(target):
        if target.is_dir():
            return target
        say(announcement)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=target.parent) as scratch:
            made = pathlib.Path(scratch) / target.name
            made.mkdir()
            make(made)
            made.rename(target)
    return target


def has_pip(python):
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0


@contextlib.contextmanager
def python_with_pip():
    """This Python if it has pip; otherwise one in a throwaway virtual environment (Debian ships pip apart)."""
    if has_pip(sys.executable):
        yield sys.executable
        return
    with tempfile.TemporaryDirectory(prefix="throughline-pip-") as environment:
        made = subprocess.run([sys.executable, "-m", "venv", environment], capture_output=True, text=True)
        python = f"{environment}/bin/python"
        if made.returncode != 0 or not has_pip(python):
            raise Failure(
                "this Python has neither pip nor a working venv module; install one of them "
                f"(Debian, Ubuntu: apt-get install python3-venv)\n{made.stdout}{made.stderr}".rstrip()
            )
        yield python


def pip(what, command, *arguments):
    """Runs pip so that it takes only wheels whose hashes are in the requirements. `what` is for the error."""
    with python_with_pip() as python:
        # A user's own pip settings may say --user or --target, which would send it elsewhere.
        run = [python, "-m", "pip", command, "--disable-pip-version-check", "--quiet", "--require-hashes"]
        run += ["--only-binary", ":all:", *map(str, arguments)]
        environment = {key: value for key, value in os.environ.items() if key not in ("PIP_USER", "PIP_TARGET")}
        # In a container everything runs as root; nothing here touches the system's own packages.
        environment["PIP_ROOT_USER_ACTION"] = "ignore"
        if subprocess.run(run, stdout=sys.stderr, env=environment).returncode != 0:
            raise Failure(f"pip could not {command} {what}; its reason is above")


def install_packages(what, requirements, target):
    """Unpacks the packages into the directory `target`, to be run with it as PYTHONPATH. The requirements name them all."""
    pip(what, "install", "--no-deps", "--no-compile", "--target", target, "--requirement", requirements)


def run(main):
    """Runs `main` with the arguments, as every installer does; ends the process."""
    name = pathlib.Path(sys.argv[0]).name
    try:
        sys.exit(main(sys.argv[1:]))
    except (Failure, OSError) as failure:
        say(f"{name}: {failure}")
        sys.exit(1)
    except KeyboardInterrupt:
        say(f"{name}: interrupted; nothing half-done is left behind")
        sys.exit(130)
