"""What is kept beside a version that cannot say it, and where it comes back."""

import pytest

from provider.api import keeping, mapping

KEPT = {"net": {"name": "n", "dead": 1}, "alive": 1, "gone": 2}
THROUGH = {"net": {"name": "n"}, "alive": 1, "made": 3}


def test_only_what_differs_is_kept():
    assert keeping.difference(KEPT, THROUGH) == (
        {"net": {"dead": 1}, "gone": 2},
        {"net": {}, "made": 3},
    )


@pytest.mark.parametrize("stored", [(KEPT, THROUGH), keeping.difference(KEPT, THROUGH)])
class TestRestore:
    """The same comes out, whether all is stored or only what differs."""

    @pytest.mark.parametrize(
        ("now", "then"),
        [
            (THROUGH, KEPT),
            ({**THROUGH, "alive": 2}, {**KEPT, "alive": 2}),
            ({**THROUGH, "made": 4}, {**KEPT, "made": 4}),
            ({**THROUGH, "gone": 5}, {**KEPT, "gone": 5}),
            ({**THROUGH, "new": 6}, {**KEPT, "new": 6}),
            ({"alive": 1, "made": 3}, {"alive": 1, "gone": 2}),
            (
                {**THROUGH, "net": {"name": "m"}},
                {**KEPT, "net": {"name": "m", "dead": 1}},
            ),
            ({**THROUGH, "net": "text"}, {**KEPT, "net": "text"}),
        ],
        ids=[
            "nothing changed",
            "a field changed",
            "a field changed that came up on the way",
            "a field is said again that was lost",
            "a field was added",
            "an object was removed",
            "a field changed beside one that was lost",
            "an object became something else",
        ],
    )
    def test_a_document_gets_back_what_nobody_changed(self, stored, now, then):
        assert keeping.restore(now, *stored) == then


class TestLists:
    KEPT = ({"name": "a", "dead": 1}, {"name": "b", "dead": 2})
    THROUGH = ({"name": "a"}, {"name": "b"})

    def restored(self, *now):
        return keeping.restore([*now], [*self.KEPT], [*self.THROUGH])

    def test_items_are_known_by_their_name(self):
        assert self.restored({"name": "b", "more": 3}, {"name": "c"}, {"name": "a"}) == [
            {"name": "b", "more": 3, "dead": 2},
            {"name": "c"},
            {"name": "a", "dead": 1},
        ]

    def test_items_that_are_renamed_are_known_by_their_place(self):
        assert self.restored({"name": "a"}, {"name": "c"}) == [
            {"name": "a", "dead": 1},
            {"name": "c", "dead": 2},
        ]

    def test_values_are_known_by_themselves(self):
        assert keeping.restore(["y", "z", "x"], ["X", "Y"], ["x", "y"]) == ["Y", "z", "X"]

    def test_a_list_that_lost_items_on_the_way_stays_as_it_is_said_now(self):
        assert keeping.restore(["x", "z"], ["x", "y"], ["x"]) == ["x", "z"]

    def test_a_list_that_lost_items_on_the_way_comes_back_whole_when_nobody_changed_it(self):
        assert keeping.restore(["x"], ["x", "y"], ["x"]) == ["x", "y"]


@pytest.mark.parametrize(
    ("kind", "new", "old"),
    [
        ("OscCluster", "spec.controlPlaneEndpoint.host", "spec.controlPlaneEndpoint.host"),
        (
            "OscCluster",
            "spec.network.securityGroups[1].rules[2].fromPort",
            "spec.network.securityGroups[1].securityGroupRules[2].fromPortRange",
        ),
        ("OscMachine", "spec.vm.image", "spec.node.image"),
        ("OscMachine", "spec.vm.flexibleGpu", "spec.node.vm.fGPU"),
        ("OscMachine", "spec.volumes[0].type", "spec.node.volumes[0].volumeType"),
        (
            "OscMachineTemplate",
            "spec.template.spec.vm.subregions[0]",
            "spec.template.spec.node.vm.subregionNames[0]",
        ),
        ("OscCluster", "spec.credentials.identityRef", "spec.credentials.identityRef"),
        ("OscClusterIdentity", "spec.secretRef.name", "spec.secretRef.name"),
    ],
)
def test_a_path_of_v1beta2_has_its_name_in_v1beta1(kind, new, old):
    assert mapping.old_path(kind, new) == old
