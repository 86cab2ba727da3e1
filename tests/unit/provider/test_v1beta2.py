"""What is read of objects of v1beta2, however odd they are."""

from provider.api import v1beta2


def test_a_null_means_nothing_was_said():
    spec = v1beta2.OscMachineSpec.model_validate({"vm": {"rootDisk": {"iops": None, "size": None}}})
    assert spec == v1beta2.OscMachineSpec.model_validate({"vm": {"rootDisk": {}}})


def test_what_is_not_known_does_not_matter():
    spec = v1beta2.OscClusterSpec.model_validate({"network": {"laterField": 1}})
    assert spec == v1beta2.OscClusterSpec()
