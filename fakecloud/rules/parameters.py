"""What the document cannot say about parameters: which must not be empty, and which exclude."""

from __future__ import annotations

from typing import Any

from fakecloud import errors
from fakecloud.call import check_id
from fakecloud.kinds import KINDS


def is_empty(value: Any) -> bool:
    """Tell whether a parameter counts as absent: the API takes "" and [] for nothing."""
    return value is None or value in ("", [])


def required(**given: Any) -> None:
    """Raise 7000 when one of the parameters is empty."""
    if any(is_empty(value) for value in given.values()):
        raise errors.refusal(7000, parameters=", ".join(given), least=str(len(given)))


def some(**given: Any) -> None:
    """Raise 7000 when all of the parameters are empty."""
    if all(is_empty(value) for value in given.values()):
        raise errors.refusal(7000, parameters=", ".join(given), least="1")


def at_most_one(**given: Any) -> None:
    """Raise 3002 when more than one of the parameters has a value."""
    named = [name for name, value in given.items() if not is_empty(value)]
    if len(named) > 1:
        raise errors.refusal(
            3002, f"The parameters {' and '.join(named)} exclude each other. Give one of them."
        )


def exactly_one(**given: Any) -> None:
    """Raise 7000 when none of the parameters has a value, and 3002 when more than one has."""
    some(**given)
    at_most_one(**given)


def ids(kind: str, wanted: list[str]) -> None:
    """Check the form of several identifiers: 4104 names all of another kind, 4105 the first."""
    prefix = KINDS[kind].prefix + "-"
    others = [id_ for id_ in wanted if not id_.startswith(prefix)]
    if others:
        raise errors.refusal(4104, id=", ".join(others), prefix=prefix)
    for id_ in wanted:
        check_id(KINDS[kind], id_)
