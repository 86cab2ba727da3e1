"""What a request must be before it is carried out: known, complete, and of the right types.

The order of the refusals is that of the real API: an unknown parameter, then a missing one, then a
wrong type, then a value outside an enumeration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from fakecloud import document, errors
from fakecloud.call import ACTIONS
from fakecloud.kinds import Data

Json = Any
NOTHING: tuple[Json, ...] = ("", [], {})
"""As the value of a required parameter, these count as missing."""


def admit(book: document.Document, action: str, request: Data) -> tuple[Callable[..., Data], Data]:
    """Return the handler of an action, and the request as it will be carried out.

    Raise 12000 for an unknown action, and 3001, 7000, 4110 or 4047 for a request that does not fit.
    """
    spec = book.actions.get(action)
    if spec is None:
        raise errors.refusal(12000, action=action)
    shape = book.shape(spec.request)
    try:
        msgspec.convert(request, shape)
    except msgspec.ValidationError:
        request = _complete(request)
        problems = book.problems(spec.request, request)
        if problems:
            raise _misfit(problems) from None
    # Four schemas are open in the document; the API knows their parameters all the same.
    for name in request.keys() - spec.parameters:
        raise errors.refusal(3001, parameter=name)
    for name in spec.required:
        if request[name] in NOTHING:
            raise errors.refusal(7000, parameters=name, least="1")
    handler = ACTIONS.get(action)
    if handler is None:
        raise errors.NotSimulated(f"the action {action}")
    return handler, request


def _complete(request: Data) -> Data:
    # The document requires the value of a tag, and the API does without.
    tags = request.get("Tags")
    if not isinstance(tags, list) or not all(isinstance(tag, dict) for tag in tags):
        return request
    return {**request, "Tags": [{"Value": "", **tag} if "Key" in tag else tag for tag in tags]}


def _misfit(problems: list[document.Problem]) -> errors.ApiError:
    first = {problem.kind: problem for problem in reversed(problems)}
    if "unknown" in first:
        return errors.refusal(3001, parameter=first["unknown"].field)
    if "missing" in first:
        if first["missing"].path[-2:] == ("Tags", "Key"):
            return errors.refusal(4069)
        return errors.refusal(7000, parameters=first["missing"].field, least="1")
    if "type" in first:
        problem = first["type"]
        return errors.refusal(4110, parameter=problem.field, type=problem.expected)
    problem = first["enum"]
    return errors.refusal(
        4047,
        f"The value '{problem.got}' of {problem.field} is not supported. "
        f"Supported values: {problem.expected}.",
    )
