"""Merge patches: a patch that is needed makes the one document of the other."""

import hypothesis
import pytest
from hypothesis import strategies

from provider.kube import merge

SCALARS = strategies.booleans() | strategies.integers() | strategies.text(max_size=3)
VALUES = strategies.recursive(
    SCALARS,
    lambda inner: (
        strategies.lists(inner, max_size=3)
        | strategies.dictionaries(strategies.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)
DOCUMENTS = strategies.dictionaries(strategies.sampled_from("abcd"), VALUES, max_size=4)

CASES = [
    ({"a": 1}, {"a": 1}, {}),
    ({"a": 1}, {"a": 2}, {"a": 2}),
    ({"a": 1}, {}, {"a": None}),
    ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a": {"c": None}}),
    ({"a": [1, 2]}, {"a": [1]}, {"a": [1]}),
    ({"a": {"b": 1}}, {"a": "text"}, {"a": "text"}),
    ({}, {"a": {}}, {"a": {}}),
    ({}, {"a": None}, {}),
]


@pytest.mark.parametrize(("old", "new", "patch"), CASES)
def test_the_smallest_patch(old, new, patch):
    assert merge.needed(old, new) == patch


@hypothesis.given(DOCUMENTS, DOCUMENTS)
def test_the_patch_that_is_needed_makes_the_new_of_the_old(old, new):
    assert merge.applied(old, merge.needed(old, new)) == new


@hypothesis.given(DOCUMENTS)
def test_nothing_is_needed_where_nothing_differs(document):
    assert merge.needed(document, document) == {}


def test_applying_leaves_the_document_as_it_is():
    document = {"a": {"b": 1}}
    assert merge.applied(document, {"a": {"b": None, "c": 2}}) == {"a": {"c": 2}}
    assert document == {"a": {"b": 1}}
