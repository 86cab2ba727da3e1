"""What a control plane is made from, without one running."""

import base64

import pytest

from tools import cache, components, control_plane


def test_a_kubeconfig_needs_no_other_file(tmp_path):
    for name in ("ca", "crt", "key"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    paths = [tmp_path / name for name in ("ca", "crt", "key")]
    config = control_plane.kubeconfig("https://127.0.0.1:1", "jane", *paths)
    assert str(tmp_path) not in str(config)
    user = config["users"][0]["user"]
    assert base64.b64decode(user["client-key-data"]) == b"key"


def test_nothing_listens_outside_of_loopback(tmp_path):
    flags = [
        *control_plane.apiserver_flags(1),
        *control_plane.controller_manager_flags(2, tmp_path, ["x"]),
    ]
    assert flags.count("--bind-address=127.0.0.1") == 2
    assert all("unix://" in flag for flag in control_plane.etcd_flags() if "urls" in flag)


def test_a_control_plane_without_tools_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("CAPOSC_TOOLS_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    for tool in components.TOOLS.values():
        monkeypatch.delenv(tool.variable, raising=False)
    plane = control_plane.ControlPlane(tmp_path / "plane")
    with pytest.raises(cache.Missing, match=r"^etcd v\S+ and kube-apiserver v\S+ are not built"):
        plane.start()
    assert not (tmp_path / "plane").exists()
