"""Addressing: the split of Nets of every size, and what is wrong with ranges."""

import ipaddress
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.rules import addressing

SUBREGIONS = ("eu-west-2a", "eu-west-2b", "eu-west-2c", "eu-west-2d", "eu-west-2e")


def ranges(net_range, count):
    return [
        subnet.ip_range for subnet in addressing.automatic_subnets(net_range, SUBREGIONS[:count])
    ]


def test_a_net_of_the_usual_size_is_split_as_the_go_provider_does():
    subnets = addressing.automatic_subnets("10.0.0.0/16", SUBREGIONS[:2])
    public = ("loadbalancer", "bastion", "nat")
    assert [(each.roles, each.ip_range, each.subregion) for each in subnets] == [
        (public, "10.0.2.0/24", "eu-west-2a"),
        (("worker",), "10.0.3.0/24", "eu-west-2a"),
        (("controlplane",), "10.0.4.0/24", "eu-west-2a"),
        (public, "10.0.5.0/24", "eu-west-2b"),
        (("worker",), "10.0.6.0/24", "eu-west-2b"),
        (("controlplane",), "10.0.7.0/24", "eu-west-2b"),
    ]


@pytest.mark.parametrize(
    ("net_range", "count", "expected"),
    [
        ("172.16.0.0/16", 1, ["172.16.2.0/24", "172.16.3.0/24", "172.16.4.0/24"]),
        ("10.0.16.0/20", 1, ["10.0.18.0/24", "10.0.19.0/24", "10.0.20.0/24"]),
        # The third subregion gets the first of the two blocks that the Go provider leaves free.
        (
            "10.0.0.0/21",
            3,
            [
                *("10.0.2.0/24", "10.0.3.0/24", "10.0.4.0/24"),
                *("10.0.5.0/24", "10.0.6.0/24", "10.0.7.0/24"),
                *("10.0.0.0/26", "10.0.0.128/25", "10.0.0.64/26"),
            ],
        ),
        ("10.0.0.0/22", 1, ["10.0.0.0/26", "10.0.0.128/25", "10.0.0.64/26"]),
        (
            "10.0.0.0/24",
            2,
            [
                *("10.0.0.0/28", "10.0.0.32/27", "10.0.0.16/28"),
                *("10.0.0.64/28", "10.0.0.96/27", "10.0.0.80/28"),
            ],
        ),
        ("10.0.0.0/26", 1, ["10.0.0.0/29", "10.0.0.16/28", "10.0.0.8/29"]),
        ("10.0.0.224/27", 1, ["10.0.0.224/29", "10.0.0.240/28", "10.0.0.232/29"]),
    ],
)
def test_a_net_of_another_size_is_split_into_what_fits(net_range, count, expected):
    assert ranges(net_range, count) == expected


@pytest.mark.parametrize(
    ("prefix", "most"),
    [(16, 86), (20, 6), (21, 4), (22, 4), (25, 4), (26, 2), (27, 1), (28, 0)],
)
def test_a_net_has_room_for_so_many_subregions(prefix, most):
    subregions = [f"r-{number}" for number in range(most + 1)]
    net_range = f"10.0.0.0/{prefix}"
    assert len(addressing.automatic_subnets(net_range, subregions[:most])) == 3 * most
    with pytest.raises(addressing.NoRoom, match=f"there are {most + 1}"):
        addressing.automatic_subnets(net_range, subregions)


def test_a_net_without_room_is_refused_in_words():
    with pytest.raises(addressing.NoRoom) as refusal:
        addressing.automatic_subnets("10.0.0.0/27", SUBREGIONS[:2])
    assert str(refusal.value) == (
        "10.0.0.0/27 has room for the subnets of 1 subregion, but there are 2 "
        "(eu-west-2a, eu-west-2b). Use a larger spec.network.net.ipRange, fewer subregions, or "
        "name the subnets in spec.network.subnets."
    )


@st.composite
def nets(draw):
    prefix = draw(st.integers(16, 28))
    start = draw(st.integers(0, 2**32 - 1))
    return str(ipaddress.IPv4Network((start >> (32 - prefix) << (32 - prefix), prefix)))


@given(nets(), st.integers(0, 5))
def test_automatic_subnets_have_nothing_wrong(net_range, count):
    try:
        found = ranges(net_range, count)
    except addressing.NoRoom:
        return
    paths = [(f"subnets[{number}]", each) for number, each in enumerate(found)]
    assert addressing.subnet_problems(net_range, paths) == []
    blocks = [ipaddress.IPv4Network(each) for each in found]
    net = ipaddress.IPv4Network(net_range)
    assert all(block.subnet_of(net) and block.prefixlen <= 29 for block in blocks)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(blocks, 2))


@given(nets(), st.integers(0, 4))
def test_automatic_subnets_stay_when_a_subregion_is_appended(net_range, count):
    try:
        more = ranges(net_range, count + 1)
    except addressing.NoRoom:
        return
    assert more[: 3 * count] == ranges(net_range, count)


# --- What is wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("10.0.0.0/16", []),
        ("0.0.0.0/0", []),
        ("10.0.0.1/32", []),
        ("10.0.0.0", ["p: '10.0.0.0' is no IPv4 range. Write one such as 10.0.0.0/16."]),
        ("toto", ["p: 'toto' is no IPv4 range. Write one such as 10.0.0.0/16."]),
        ("10.0.0.0/33", ["p: '10.0.0.0/33' is no IPv4 range. Write one such as 10.0.0.0/16."]),
        ("fd00::/64", ["p: 'fd00::/64' is no IPv4 range. Write one such as 10.0.0.0/16."]),
        ("10.0.0.5/16", ["p: 10.0.0.5/16 has bits after its /16. Write 10.0.0.0/16."]),
    ],
)
def test_a_range_is_a_whole_range(text, problems):
    assert list(map(str, addressing.range_problems("p", text))) == problems


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("10.0.0.0/16", []),
        ("10.0.0.0/28", []),
        ("10.0.0.0/8", ["p: 10.0.0.0/8 is no size of a Net. Use /16 to /28."]),
        ("10.0.0.0/29", ["p: 10.0.0.0/29 is no size of a Net. Use /16 to /28."]),
        ("10.0.0.1/8", ["p: 10.0.0.1/8 has bits after its /8. Write 10.0.0.0/8."]),
    ],
)
def test_a_net_has_a_size_that_the_api_takes(text, problems):
    assert list(map(str, addressing.net_problems("p", text))) == problems


@pytest.mark.parametrize(
    ("subnets", "problems"),
    [
        (["10.0.2.0/24", "10.0.3.0/24"], []),
        (["10.0.0.0/16"], []),
        (["10.0.2.0/30"], ["s0: 10.0.2.0/30 is too small for a subnet. Use /29 at least."]),
        (
            ["10.1.2.0/24"],
            ["s0: 10.1.2.0/24 is not inside the Net, 10.0.0.0/16. Choose a range in it."],
        ),
        # It overlaps the Net, but that is not enough.
        (
            ["10.0.0.0/15"],
            ["s0: 10.0.0.0/15 is not inside the Net, 10.0.0.0/16. Choose a range in it."],
        ),
        (
            ["10.0.2.0/24", "10.0.2.16/28", "x"],
            [
                "s1: 10.0.2.16/28 overlaps 10.0.2.0/24 of s0. Give each subnet a range of its own.",
                "s2: 'x' is no IPv4 range. Write one such as 10.0.0.0/16.",
            ],
        ),
    ],
)
def test_subnets_lie_apart_inside_their_net(subnets, problems):
    pairs = [(f"s{number}", text) for number, text in enumerate(subnets)]
    assert list(map(str, addressing.subnet_problems("10.0.0.0/16", pairs))) == problems


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("10.0.3.4", []),
        ("10.0.3.254", []),
        ("10.0.3", ["p: '10.0.3' is no IPv4 address. Write one such as 10.0.3.10."]),
        *(
            (
                text,
                [f"p: {text} is not usable in the subnet 10.0.3.0/24. Use 10.0.3.4 to 10.0.3.254."],
            )
            for text in ("10.0.3.3", "10.0.3.255", "10.0.4.10")
        ),
    ],
)
def test_a_private_ip_is_one_that_the_subnet_gives_away(text, problems):
    assert list(map(str, addressing.address_problems("p", text, "10.0.3.0/24"))) == problems
