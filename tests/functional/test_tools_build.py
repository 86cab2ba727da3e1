"""Building: whole or not at all, once, and told in plain words. A tiny module stands for all."""

import io
import os
import pathlib
import subprocess
import sys

import pytest

from tools import build, cache, components, progress, toolchain

ROOT = pathlib.Path(__file__).resolve().parents[2]
HELLO = """package main

import "os"

var gitVersion = "unknown"

func main() {
	os.Stdout.WriteString("hello " + gitVersion)
}
"""
GO_MOD = """module example.test/tools

go 1.24.0

require example.test/hello v1.2.3

replace example.test/hello => ./hello
"""


@pytest.fixture(name="hello")
def _hello(tmp_path, monkeypatch):
    """Return a tool that takes a moment to build."""
    if toolchain.installed() is None:
        pytest.skip("There is no Go here to build with.")
    source = tmp_path / "source"
    (source / "hello").mkdir(parents=True)
    (source / "go.mod").write_text(GO_MOD, encoding="utf-8")
    (source / "go.sum").touch()
    (source / "hello/go.mod").write_text("module example.test/hello\n", encoding="utf-8")
    (source / "hello/main.go").write_text(HELLO, encoding="utf-8")
    module = components.Module(str(source), "example.test/hello", stamped=("main",))
    tool = components.Tool("hello", module, "example.test/hello")
    monkeypatch.setitem(components.TOOLS, "hello", tool)
    monkeypatch.setenv("CAPOSC_TOOLS_DIR", str(tmp_path / "cache"))
    return tool


def built(*tools):
    stream = io.StringIO()
    build.build(tools, progress.Progress(stream))
    return stream.getvalue()


def test_a_built_tool_tells_its_true_version(hello):
    shown = built(hello)
    assert "[1/1] hello v1.2.3: built in " in shown
    path = cache.require("hello")["hello"]
    assert subprocess.check_output([path]) == b"hello v1.2.3"


def test_what_is_there_is_not_built_again(hello):
    built(hello)
    before = cache.require("hello")["hello"].stat()
    assert built(hello) == "All 1 tools are there.\n"
    assert cache.require("hello")["hello"].stat() == before


def test_what_the_user_gives_is_not_built(hello, monkeypatch):
    monkeypatch.setenv("CAPOSC_HELLO", sys.executable)
    assert built(hello) == "All 1 tools are there.\n"
    assert cache.built(hello) is None


def test_a_program_that_does_not_compile_leaves_nothing(hello):
    main = hello.module.directory / "hello/main.go"
    main.write_text(HELLO + "nonsense\n", encoding="utf-8")
    with pytest.raises(build.Failed, match=r"(?s)hello v1.2.3: go build ended .*main.go:10:1: "):
        built(hello)
    assert cache.find("hello") is None
    assert not (cache.folder() / "drafts").exists()


def test_a_tool_that_hides_its_version_is_refused(hello):
    main = hello.module.directory / "hello/main.go"
    main.write_text(HELLO.replace("gitVersion", "other"), encoding="utf-8")
    with pytest.raises(build.Failed, match=r"hello v1.2.3 was built, but says of itself:\nhello u"):
        built(hello)
    assert cache.find("hello") is None


def test_a_go_that_is_too_old_is_told_so(hello):
    go_mod = hello.module.directory / "go.mod"
    go_mod.write_text(GO_MOD.replace("1.24.0", "9.9.9"), encoding="utf-8")
    with pytest.raises(cache.Missing, match=r"Building needs Go 9\.9\.9 or newer, and \S+ is 1\."):
        built(hello)


BUILD = """
import sys
from tools import build, components, progress
module = components.Module(sys.argv[1], "example.test/hello", stamped=("main",))
tool = components.TOOLS["hello"] = components.Tool("hello", module, "example.test/hello")
build.build([tool], progress.Progress(sys.stdout))
"""


def test_of_two_builds_at_once_one_waits(hello):
    command = [sys.executable, "-c", BUILD, str(hello.module.directory)]
    both = [
        subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    shown = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert "".join(shown).count("v1.2.3: built in") == 1


def test_the_command_names_what_it_does_not_know():
    done = subprocess.run(
        [sys.executable, "-m", "tools", "build", "kubelet"],
        capture_output=True,
        check=False,
        cwd=ROOT,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: There is no tool and no module 'kubelet'. Choose from:")


def test_the_command_lists_all_tools(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tools", "list"],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "CAPOSC_TOOLS_DIR": str(tmp_path)},
        text=True,
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [(row[0], row[1]) for row in rows] == [
        (tool.name, tool.version) for tool in components.TOOLS.values()
    ]
