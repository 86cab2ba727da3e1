"""Random lives of clusters and machines; ``make simulate`` lives more of them."""

import pytest

from tests.simulate import life

KEPT = [640515, 640934, 641062, 663673, 772158]
"""Seeds that broke a law once, when there was a mistake in the code."""


@pytest.mark.parametrize("seed", range(100, 124))
def test_no_law_is_broken_in(seed):
    life.Life(seed).run()


@pytest.mark.parametrize("seed", KEPT)
def test_no_law_is_broken_any_more_in(seed):
    life.Life(seed).run()


@pytest.mark.parametrize("seed", range(3))
def test_two_lives_of_the_same_seed_are_the_same(seed):
    assert life.Life(seed).run().digest == life.Life(seed).run().digest
