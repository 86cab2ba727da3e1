"""Placement: the tags that keep VMs together or apart."""

import pytest

from provider.api import v1beta2
from provider.rules import placement


def tags(role="worker", deployment="c1-md-0", more=None, **asked):
    vm = v1beta2.Vm.model_validate({"placement": asked, "tags": more or {}})
    return placement.tags(vm, role, deployment)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"repulseServer": "a"}, {"osc.fcu.repulse_server": "a"}),
        ({"repulseServer": "a", "serverStrict": True}, {"osc.fcu.repulse_server_strict": "a"}),
        ({"attractServer": "a"}, {"osc.fcu.attract_server": "a"}),
        ({"attractServer": "a", "serverStrict": True}, {"osc.fcu.attract_server_strict": "a"}),
        ({"repulseCluster": "a"}, {"osc.fcu.repulse_cluster": "a"}),
        ({"repulseCluster": "a", "clusterStrict": True}, {"osc.fcu.repulse_cluster_strict": "a"}),
        ({"attractCluster": "a"}, {"osc.fcu.attract_cluster": "a"}),
        ({"attractCluster": "a", "clusterStrict": True}, {"osc.fcu.attract_cluster_strict": "a"}),
        (
            {"repulseServer": "a", "attractCluster": "b", "clusterStrict": True},
            {"osc.fcu.repulse_server": "a", "osc.fcu.attract_cluster_strict": "b"},
        ),
        ({"repulseServer": "a", "attractServer": "b"}, {"osc.fcu.repulse_server": "a"}),
    ],
)
@pytest.mark.parametrize("role", ["worker", "controlplane"])
def test_a_placement_is_a_tag(role, asked, expected):
    assert tags(role, **asked) == expected


def test_workers_of_a_deployment_stay_apart_unless_told_otherwise():
    assert tags() == {"osc.fcu.repulse_server": "c1-md-0"}
    assert tags(serverStrict=True) == {"osc.fcu.repulse_server": "c1-md-0"}


@pytest.mark.parametrize(
    "given",
    [
        {"role": "controlplane"},
        {"deployment": ""},
        {"repulseServer": ""},
        {"more": {"osc.fcu.attract_server": "mine"}},
        {"more": {"tags.osc.fcu.repulse_cluster_strict": "mine"}},
    ],
)
def test_the_others_go_anywhere(given):
    assert tags(**given) == {}


def test_other_tags_of_a_worker_say_nothing_about_its_place():
    assert tags(more={"team": "a", "osc.fcu.eip.auto-attach": "192.0.2.1"}) == {
        "osc.fcu.repulse_server": "c1-md-0"
    }


@pytest.mark.parametrize(
    ("asked", "messages"),
    [
        ({}, []),
        ({"repulseServer": "a", "attractCluster": "b"}, []),
        (
            {"repulseServer": "a", "attractServer": "b"},
            ["p: repulseServer is 'a' and attractServer is 'b'. Keep one of the two."],
        ),
        (
            {"repulseCluster": "a", "attractCluster": "a"},
            ["p: repulseCluster is 'a' and attractCluster is 'a'. Keep one of the two."],
        ),
    ],
)
def test_nothing_is_both_together_and_apart(asked, messages):
    problems = placement.problems("p", v1beta2.Placement.model_validate(asked))
    assert list(map(str, problems)) == messages
