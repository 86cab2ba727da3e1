"""What the API answers, in a form that can be relied on whatever a bad day makes of it.

An answer without its list would else say that nothing is there, and one without a field would end
a reconcile in a place that knows nothing of answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provider.osc.errors import ApiError

_LISTS: Mapping[str, str] = {"ReadQuotas": "QuotaTypes"}
"""The lists that are not named like the Read that answers with them."""


class Answer(dict[str, Any]):
    """An object of an answer; asking for what it lacks raises ``ApiError``.

    The cause of that is UNKNOWN: the call may have been carried out all the same.
    """

    __slots__ = ("_action", "_host")

    def __init__(self, action: str, host: str, facts: Mapping[str, Any]) -> None:
        # What is null is not there.
        some = {key: of(action, host, each) for key, each in facts.items() if each is not None}
        super().__init__(some)
        self._action = action
        self._host = host

    def __missing__(self, key: str) -> Any:
        """Raise ``ApiError``."""
        raise ApiError(self._action, details=f"{self._host} answered without '{key}'.")

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of the answer of a ``Read*``; raise ``ApiError`` when it has none."""
        name = _LISTS.get(self._action, self._action.removeprefix("Read"))
        found = self[name]
        if isinstance(found, list) and all(isinstance(row, Answer) for row in found):
            return found
        return self.__missing__(name)  # type: ignore[no-any-return]


def of(action: str, host: str, said: Any) -> Any:
    """Return what was said to a call, with every object in it as an ``Answer``."""
    if isinstance(said, dict):
        return Answer(action, host, said)
    if isinstance(said, list):
        return [of(action, host, each) for each in said if each is not None]
    return said
