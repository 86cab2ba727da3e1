"""What resources are written against: a cloud to call, and where to find it."""

from __future__ import annotations

import contextlib
from typing import Any, Protocol


class Cloud(Protocol):
    """One account in one region."""

    region: str
    alone: contextlib.AbstractContextManager[Any]
    """What one of those with the same credentials holds while it makes and marks something.

    So a process that is killed leaves one thing at most of which nobody can tell whose it is.
    """

    def call(self, action: str, /, **request: Any) -> dict[str, Any]:
        """Carry out one action and return its answer; raise ``errors.ApiError``."""

    def read(self, action: str, /, **request: Any) -> list[dict[str, Any]]:
        """Return the rows of a ``Read*`` action, of all its pages; raise ``errors.ApiError``."""


class Reads(Protocol):
    """The Reads of one cloud that many objects share."""

    calm_age_s: float
    """How old an answer may be for those for whom nothing was to be done lately, in seconds."""

    def read(
        self, action: str, /, *, max_age_s: float, since_s: float, **request: Any
    ) -> list[dict[str, Any]]:
        """Return the rows of a Read that was started at most ``max_age_s`` ago, after ``since_s``.

        The rows are not to be changed. Raise ``errors.ApiError``.
        """


class Clouds(Protocol):
    """The clouds of one object; both are looked up when they are first asked for.

    Both methods raise ``credentials.CredentialsError`` when credentials are missing, or may not be
    used by this object.
    """

    def workload(self) -> Cloud:
        """Return the cloud in which the cluster lives."""

    def management(self) -> Cloud:
        """Return the cloud of the management cluster, with which the Net is peered."""


class SharedClouds(Clouds, Protocol):
    """The clouds of one object among many that look at the same things."""

    def shared(self) -> tuple[Cloud, Reads]:
        """Return the workload cloud, and the Reads that all with its credentials share."""
