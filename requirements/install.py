"""Make a virtual environment with exactly the pinned packages, and this project in place.

    python3 requirements/install.py [--probe] [FOLDER FILE]

FOLDER is `.venv` and FILE is `dev.txt` unless they are given. Nothing is done when FOLDER is up to
date. With `--probe`, only say whether a usable Python is there. Any Python 3 may start this file:
it looks for one that is new enough, and goes on in that one. So its syntax is that of Python 3.6.
"""

import hashlib
import importlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
OLDEST_TEXT = "3.11"
CANDIDATES = ("python3.13", "python3.12", "python3.11", "python3.14", "python3", "python")
HANDED_ON = "CAPOSC_INSTALL_HANDED_ON"
PROBE = f"import sys, venv, ensurepip; print(sys.version_info >= {OLDEST})"


def has_all_it_needs(python: str) -> bool:
    """Say whether this interpreter is new enough and can make a virtual environment."""
    answer = subprocess.run(
        [python, "-c", PROBE],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return answer.returncode == 0 and answer.stdout.strip() == b"True"


def has_ensurepip() -> bool:
    """Say whether the running Python can make a virtual environment: Debian packs that apart."""
    try:
        importlib.import_module("ensurepip")
    except ImportError:
        return False
    return True


def usable_python() -> str:
    """Find an interpreter to build on: the running one if it will do, else the newest on PATH."""
    # A virtual environment is built on its base: one that leans on another breaks with it.
    running = getattr(sys, "_base_executable", None) or sys.executable
    if sys.version_info >= OLDEST and has_ensurepip():
        return running
    found = [path for path in map(shutil.which, CANDIDATES) if path]
    for python in found:
        if has_all_it_needs(python):
            return python
    tried = ", ".join(dict.fromkeys([running, *found]))
    raise SystemExit(
        f"No Python here is new enough (>= {OLDEST_TEXT}) and has ensurepip; tried: {tried}. "
        "Install one; on Debian and Ubuntu: apt-get install python3-venv."
    )


def fingerprint(pins: pathlib.Path) -> str:
    """Sum up everything that the virtual environment is made from."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    made_from = {
        "python": [sys.version, sys.executable],
        # Scripts in a virtual environment hold absolute paths: a copied folder is made anew.
        "root": str(ROOT),
        "pins": pins.read_text(encoding="utf-8"),
        "project": project["project"],
        "build": project["build-system"],
        "hatch": project["tool"]["hatch"],
    }
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def install(folder: pathlib.Path, pins: pathlib.Path) -> None:
    """Build the virtual environment, unless it is there and made from the same things."""
    stamp = folder / "made-from"
    wanted = fingerprint(pins)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    print(f"Making {folder.name} from requirements/{pins.name} (once; about a minute).", flush=True)
    python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    pip = [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    for command, remedy in (
        (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            "Look at its message above, and check that the folder can be written.",
        ),
        (
            [*pip, "--require-hashes", "-r", str(pins)],
            "Look at its message above; a mirror or proxy is set in pip's own configuration.",
        ),
        (
            [*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)],
            "Look at its message above, and at pyproject.toml.",
        ),
    ):
        done = subprocess.run(command, cwd=str(ROOT), check=False)
        if done.returncode:
            shown = " ".join(command[1:])
            raise SystemExit(f"{shown} stopped with status {done.returncode}. {remedy}")
    stamp.write_text(wanted, encoding="utf-8")
    print(f"{folder.name} is ready.")


def main(arguments: list) -> None:
    """Go on in a usable Python, then install."""
    python = usable_python()
    if arguments == ["--probe"]:
        return
    if python != sys.executable and HANDED_ON not in os.environ:
        os.environ[HANDED_ON] = python
        os.execv(python, [python, __file__, *arguments])
    folder, pins = arguments or (".venv", "dev.txt")
    install(ROOT / folder, ROOT / "requirements" / pins)


if __name__ == "__main__":
    main(sys.argv[1:])
