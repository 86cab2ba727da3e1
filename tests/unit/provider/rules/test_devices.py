"""Devices: which names the API takes for volumes."""

import pytest

from provider.rules import devices

DEVICES = "Use /dev/xvdb to /dev/xvdzz, or /dev/sdb to /dev/sdzz."


@pytest.mark.parametrize(
    ("names", "messages"),
    [
        ([], []),
        (["/dev/xvdb", "/dev/xvdc", "/dev/sdd", "/dev/xvdzz", "/dev/sdba"], []),
        (["/dev/sda1"], ["v0: /dev/sda1 is the root volume. Use /dev/xvdb or a later one."]),
        *(
            ([name], [f"v0: '{name}' is no device of a volume. {DEVICES}"])
            for name in ("", "/dev/sda", "/dev/xvda", "/dev/vdb", "/dev/sdb1", "/dev/xvdbaa")
        ),
        (
            ["/dev/xvdb", "/dev/sdb"],
            ["v1: /dev/sdb is taken by /dev/xvdb already. Use another one."],
        ),
    ],
)
def test_a_volume_has_a_device_of_its_own(names, messages):
    pairs = [(f"v{number}", name) for number, name in enumerate(names)]
    assert list(map(str, devices.problems(pairs))) == messages
