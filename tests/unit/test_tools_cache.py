"""Where a tool is looked for, and what is said when it is not there."""

import dataclasses
import pathlib

import pytest

import tools
from tools import cache, components, toolchain

GO = toolchain.Go("go", "1.26.8", "linux-amd64")
OLD_GO = dataclasses.replace(GO, version="1.19.8")
ETCD = components.tool("etcd")
NEEDS = f"Building needs Go {components.ETCD.go} or newer, and"
INSTALL = "install it and run 'make tools', or"


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CAPOSC_TOOLS_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(toolchain, "installed", lambda: GO)
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    for tool in components.TOOLS.values():
        monkeypatch.delenv(tool.variable, raising=False)


def executable(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


def test_a_tool_that_was_built_is_found():
    path = executable(cache.entry(ETCD, GO))
    assert tools.require("etcd") == {"etcd": path}


def test_a_binary_of_the_assets_wins_over_the_cache(tmp_path, monkeypatch):
    executable(cache.entry(ETCD, GO))
    path = executable(tmp_path / "assets/etcd")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    assert tools.find("etcd") == path


def test_a_named_binary_wins_over_the_assets(tmp_path, monkeypatch):
    executable(tmp_path / "assets/etcd")
    path = executable(tmp_path / "mine")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("CAPOSC_ETCD", str(path))
    assert tools.find("etcd") == path


def test_assets_without_the_tool_leave_it_to_the_cache(tmp_path, monkeypatch):
    path = executable(cache.entry(ETCD, GO))
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert tools.find("etcd") == path


def test_a_named_binary_that_cannot_run_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("CAPOSC_ETCD", str(tmp_path))
    with pytest.raises(tools.Missing) as refusal:
        tools.find("etcd")
    assert str(refusal.value) == (
        f"CAPOSC_ETCD is {tmp_path}, which is no file that can be run. "
        "Put the path right, or unset the variable."
    )


def test_without_go_a_binary_of_any_go_will_do(monkeypatch):
    path = executable(cache.entry(ETCD, GO))
    monkeypatch.setattr(toolchain, "installed", lambda: None)
    assert tools.find("etcd") == path


def test_another_go_means_another_build(monkeypatch):
    executable(cache.entry(ETCD, GO))
    newer = dataclasses.replace(GO, version="1.27.0")
    monkeypatch.setattr(toolchain, "installed", lambda: newer)
    assert tools.find("etcd") is None


def test_another_stamp_means_another_build():
    module = dataclasses.replace(ETCD.module, stamps=(("main.x", "1"),))
    assert cache.digest(dataclasses.replace(ETCD, module=module)) != cache.digest(ETCD)


@pytest.mark.parametrize(
    ("names", "go", "what", "remedy"),
    [
        (["etcd"], GO, "etcd {etcd} is", "Run 'make tools'."),
        (
            ["etcd", "kubectl", "clusterctl"],
            GO,
            "etcd {etcd}, kubectl {kubernetes} and clusterctl {capi} are",
            "Run 'make tools'.",
        ),
        (
            ["clusterctl-1.10"],
            GO,
            "clusterctl-1.10 {capi_1_10} is",
            "Run 'python -m tools build cluster-api-1.10'.",
        ),
        (
            ["etcd"],
            None,
            "etcd {etcd} is",
            f"{NEEDS} there is none here: {INSTALL} set CAPOSC_ETCD to a binary.",
        ),
        (
            ["etcd", "kubectl"],
            OLD_GO,
            "etcd {etcd} and kubectl {kubernetes} are",
            f"{NEEDS} go is 1.19.8: {INSTALL} set CAPOSC_ETCD and CAPOSC_KUBECTL to binaries.",
        ),
        (
            ["etcd", "kubectl", "kube-apiserver", "kube-controller-manager"],
            None,
            (
                "etcd {etcd}, kubectl {kubernetes}, kube-apiserver {kubernetes} and "
                "kube-controller-manager {kubernetes} are"
            ),
            f"{NEEDS} there is none here: {INSTALL} set CAPOSC_ETCD and the like to binaries.",
        ),
    ],
)
def test_one_sentence_says_what_is_missing(names, go, what, remedy, monkeypatch):
    monkeypatch.setattr(toolchain, "installed", lambda: go)
    with pytest.raises(tools.Missing) as missing:
        tools.require(*names)
    what = what.format(
        etcd=components.ETCD.version,
        kubernetes=components.KUBERNETES.version,
        capi=components.CLUSTER_API.version,
        capi_1_10=components.CLUSTER_API_1_10.version,
    )
    assert str(missing.value) == f"{what} not built here. {remedy}"


def test_what_is_there_is_not_called_missing():
    executable(cache.entry(ETCD, GO))
    with pytest.raises(tools.Missing, match=r"^kubectl v\S+ is not built here"):
        tools.require("etcd", "kubectl")


def test_the_cache_is_in_the_folder_for_caches(monkeypatch):
    monkeypatch.delenv("CAPOSC_TOOLS_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    monkeypatch.setattr("sys.platform", "linux")
    assert cache.folder() == pathlib.Path("/caches/caposc/tools")
