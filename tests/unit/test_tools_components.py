"""The table of tools: versions come from go.mod, and stamps follow from versions."""

import pytest

from tools import components

GO_MOD = """module example.test/tools

go 1.24.0

require (
	example.test/server/v3 v3.6.16 // indirect
	example.test/server v1.0.0
)

require example.test/alone v0.1.0

replace example.test/server => example.test/other v9.9.9
"""


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("example.test/server/v3", "v3.6.16"),
        ("example.test/server", "v1.0.0"),
        ("example.test/alone", "v0.1.0"),
    ],
)
def test_the_version_is_the_required_one(path, version):
    assert components.pinned(GO_MOD, path) == version


def test_the_oldest_go_is_that_of_the_go_line():
    assert components.go_line(GO_MOD) == "1.24.0"


def test_a_version_is_stamped_in_the_way_of_kubernetes():
    assert components.version_stamps("v1.34.4") == {
        "gitVersion": "v1.34.4",
        "gitMajor": "1",
        "gitMinor": "34",
        "gitCommit": "module",
        "gitTreeState": "archive",
    }


def test_the_flags_of_the_linker_name_every_stamped_package():
    flags = components.KUBERNETES.link_flags
    for package in components.KUBERNETES.stamped:
        assert f"-X={package}.gitVersion={components.KUBERNETES.version}" in flags


@pytest.mark.parametrize("tool", components.TOOLS.values(), ids=str)
def test_go_mod_names_every_package_as_a_tool(tool):
    go_mod = (tool.module.directory / "go.mod").read_text(encoding="utf-8")
    assert tool.package in go_mod.partition("require")[0]


@pytest.mark.parametrize("module", components.MODULES, ids=lambda module: module.folder)
def test_every_module_has_checksums(module):
    assert f"{module.path} {module.version} h1:" in module.definition


def test_staging_modules_have_the_version_of_kubernetes():
    go_mod = (components.KUBERNETES.directory / "go.mod").read_text(encoding="utf-8")
    replaced = [line.split()[-1] for line in go_mod.splitlines() if " => " in line]
    assert replaced
    assert set(replaced) == {components.KUBERNETES.version.replace("v1.", "v0.")}


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("etcd", "CAPOSC_ETCD"),
        ("kube-apiserver", "CAPOSC_KUBE_APISERVER"),
        ("clusterctl-1.10", "CAPOSC_CLUSTERCTL_1_10"),
    ],
)
def test_the_variable_of_a_tool_follows_from_its_name(name, variable):
    assert components.tool(name).variable == variable


def test_without_names_what_is_usual_is_selected():
    names = [tool.name for tool in components.selected(())]
    assert "kube-apiserver" in names
    assert "clusterctl-1.10" not in names


def test_the_name_of_a_module_selects_its_tools():
    selected = components.selected(("kubernetes", "etcd"))
    assert [tool.name for tool in selected] == [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kubectl",
    ]


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no module 'kubelet'. Choose from: .*kubernetes"):
        components.selected(("kubelet",))
    with pytest.raises(ValueError, match=r"There is no tool 'kubelet'. Choose from: etcd, "):
        components.tool("kubelet")
