"""After all specs, the cloud is as it was before the first one, and no manager came to grief."""

from __future__ import annotations

import pytest

from e2e import repository
from e2e.spec import Spec
from e2e.waits import need

MISTAKE = "This is a mistake of ours."
"""What the manager says of an exception that it did not expect."""

pytestmark = pytest.mark.stage(9)


def test_the_cloud_is_as_it_was_before(spec: Spec) -> None:
    """Find what was there before, and nothing else, whoever made it."""
    with spec.step("Nothing is left, and nothing is lost"):
        spec.eventually(lambda: _is_as_before(spec), within="deleted")
    with spec.step("No manager ended by itself, unless it was too slow to renew its lease"):
        for each in spec.management.ended:
            spec.story.tell(each)
            assert "The lease is lost" in each, each
    with spec.step("Our manager found no mistake of its own"):
        for path in spec.management.processes():
            if path.stem == repository.OURS.label:
                lines = path.read_text(errors="replace").splitlines()
                wrong = [each for each in lines if MISTAKE in each or "Traceback" in each]
                assert not wrong, f"{path.name}: {wrong[:5]}"


def _is_as_before(spec: Spec) -> None:
    now = spec.cloud.inventory()
    left, lost = now - spec.ground.before, sorted(spec.ground.before - now)
    need(not lost, saw=f"the cloud lost {', '.join(lost)}, which is not ours")
    need(not left, saw=f"the cloud still has {spec.cloud.tell(left)}")
