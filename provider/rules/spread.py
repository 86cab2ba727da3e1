"""Which subregion a new machine goes to.

Cluster API may say, with a failure domain. Otherwise machines are spread over the subregions that
the spec allows, leaving out those that had no capacity lately.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence

LEAST_NODES, RANDOM = "leastNodes", "random"


def choose(
    candidates: Sequence[str],
    *,
    failure_domain: str = "",
    mode: str = LEAST_NODES,
    counts: Mapping[str, int],
    exhausted: Collection[str] = (),
    chance: random.Random,
) -> str:
    """Return the subregion for a new machine, or an empty string when there is no candidate.

    ``counts`` says how many machines of its kind each subregion has. Of several with the fewest,
    chance picks one, so that machines that are created at the same time do not all go to the first.
    When all are ``exhausted``, each may be tried again. A failure domain is never overruled.
    """
    if failure_domain:
        return failure_domain
    usable = [each for each in candidates if each not in exhausted] or list(candidates)
    if not usable:
        return ""
    if mode == RANDOM:
        return chance.choice(usable)
    fewest = min(counts.get(each, 0) for each in usable)
    return chance.choice([each for each in usable if counts.get(each, 0) == fewest])
