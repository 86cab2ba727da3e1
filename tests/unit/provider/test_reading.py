"""What can be read of specs that are wrong."""

import pytest

from provider.api import reading, v1beta2

READ = v1beta2.OscMachineSpec.model_validate({"vm": {"keypairName": "ops"}})
SPECS = {
    "nothing": (None, False),
    "all of it": ({"vm": {"keypairName": "ops"}}, False),
    "no mapping": ("vm", True),
    "a part that is none": ({"vm": "small"}, True),
    "a value": ({"vm": {"keypairName": "ops", "vmType": 7}}, True),
    "a value in a list": ({"vm": {"keypairName": "ops"}, "volumes": [{"size": "big"}]}, True),
    "two in a list": ({"vm": {"keypairName": "ops", "securityGroupNames": [1, {"name": 2}]}}, True),
    "deep": ({"vm": {"keypairName": "ops", "rootDisk": {"size": [], "iops": {}}}}, True),
}


@pytest.mark.parametrize("name", SPECS)
def test_the_rest_is_read(name):
    spec, is_wrong = SPECS[name]
    found, problems = reading.read(v1beta2.OscMachineSpec, spec)
    keeps = isinstance(spec, dict) and isinstance(spec["vm"], dict)
    assert found == (READ if keeps else v1beta2.OscMachineSpec())
    assert bool(problems) == is_wrong
    assert all(each.startswith("spec") and each.endswith("Correct it.") for each in problems)
