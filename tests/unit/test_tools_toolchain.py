"""Which Go is new enough."""

import pytest

from tools import toolchain


@pytest.mark.parametrize(
    ("version", "needed", "is_enough"),
    [
        ("1.26.8", "1.26.0", True),
        ("1.26", "1.26.0", True),
        ("1.26rc1", "1.26.0", True),
        ("1.26.0", "1.26.1", False),
        ("1.9.7", "1.26.0", False),
        ("1.27", "1.26.10", True),
        ("2.0", "1.26.10", True),
    ],
)
def test_versions_are_compared_as_numbers(version, needed, is_enough):
    go = toolchain.Go("go", version, "linux-amd64")
    assert go.builds(needed) is is_enough


def test_no_other_go_is_fetched():
    assert toolchain.environment()["GOTOOLCHAIN"] == "local"


def test_a_machine_without_go_has_none(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert toolchain.installed() is None
