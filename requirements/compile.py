"""Write the pinned requirement files from pyproject.toml.

    python3.11 requirements/compile.py [--upgrade]

Pins that are there are kept unless they no longer fit; `--upgrade` takes the newest of everything.
"""

import pathlib
import subprocess
import sys
import tempfile
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
PIP_TOOLS = "pip-tools==7.6.2"
HEADER = "# Written by `make requirements` from pyproject.toml. Do not edit.\n"

# Each file is compatible with run.txt: file -> what it has beside the runtime packages.
FILES = {
    "run.txt": [],
    "dev.txt": ["--extra=test", "--extra=lint", "--all-build-deps"],
    "bench.txt": ["--extra=bench", "--all-build-deps"],
}

# The files name packages and hashes, never where they come from: that is the reader's business.
OPTIONS = [
    "--quiet",
    "--no-config",
    "--generate-hashes",
    "--allow-unsafe",
    "--strip-extras",
    "--no-header",
    "--no-emit-index-url",
    "--no-emit-trusted-host",
    "--no-emit-find-links",
    "--no-emit-options",
    "--annotation-style=line",
]


def compile_files(scratch: pathlib.Path, upgrade: list[str]) -> None:
    """Resolve and write one file after the other."""
    venv.create(scratch, with_pip=True)
    python = scratch / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", PIP_TOOLS], check=True)
    common: list[str] = []
    for name, extras in FILES.items():
        path = f"requirements/{name}"
        command = [python, "-m", "piptools", "compile", *OPTIONS, *upgrade, *extras, *common]
        subprocess.run([*command, f"--output-file={path}", "pyproject.toml"], cwd=ROOT, check=True)
        pins = ROOT / path
        pins.write_text(HEADER + pins.read_text().removeprefix(HEADER))
        common = ["--constraint=requirements/run.txt"]
        print(f"{path} is written.")


def main(arguments: list[str]) -> None:
    """Check that the oldest supported Python resolves, so that no pin is too new for it."""
    if sys.version_info[:2] != OLDEST:
        raise SystemExit(
            f"This is Python {sys.version_info.major}.{sys.version_info.minor}, but the pins are "
            f"resolved with {OLDEST[0]}.{OLDEST[1]}, the oldest one supported. Start it with "
            f"python{OLDEST[0]}.{OLDEST[1]}."
        )
    with tempfile.TemporaryDirectory() as scratch:
        compile_files(pathlib.Path(scratch), arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
