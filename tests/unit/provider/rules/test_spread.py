"""Spread: which subregion a new machine goes to."""

import collections
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.rules import spread

A, B, C = "eu-west-2a", "eu-west-2b", "eu-west-2c"


def choose(candidates=(A, B, C), seed=1, **given_):
    facts = {"counts": {}, "chance": random.Random(seed), **given_}
    return spread.choose(candidates, **facts)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({"failure_domain": "elsewhere", "exhausted": {"elsewhere"}}, "elsewhere"),
        ({"candidates": ()}, ""),
        ({"candidates": (B,)}, B),
        ({"counts": {A: 2, B: 1, C: 2}}, B),
        ({"counts": {A: 1, B: 1}}, C),
        ({"counts": {A: 0, B: 5, C: 6}, "exhausted": {A}}, B),
        ({"counts": {A: 1, B: 2, C: 3}, "exhausted": {A, B, C}}, A),
        ({"mode": "random", "exhausted": {A, C}}, B),
        # What else there is somewhere does not matter.
        ({"candidates": (A, B), "counts": {A: 1, B: 2, C: 0}}, A),
    ],
)
def test_a_machine_goes_where_it_should(given_, expected):
    assert choose(**given_) == expected


@pytest.mark.parametrize("mode", ["leastNodes", "random"])
def test_chance_decides_between_equals(mode):
    assert {choose(mode=mode, seed=seed) for seed in range(50)} == {A, B, C}


@pytest.mark.parametrize("mode", ["leastNodes", "random"])
def test_the_same_chance_chooses_the_same(mode):
    assert choose(mode=mode, seed=5) == choose(mode=mode, seed=5)


@given(st.integers(1, 40), st.integers(0, 2**32))
def test_machines_are_spread_evenly(machines, seed):
    chance = random.Random(seed)
    counts = collections.Counter()
    for _ in range(machines):
        counts[spread.choose((A, B, C), counts=counts, chance=chance)] += 1
    assert max(counts.values()) - min(counts.get(each, 0) for each in (A, B, C)) <= 1
