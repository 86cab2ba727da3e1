"""What one reconcile came to: changes for Kubernetes to keep, and when to look again."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from provider.reasons import Reason


@dataclasses.dataclass(frozen=True)
class Event:
    """Something a user should be told in ``kubectl describe``."""

    type: Literal["Normal", "Warning"]
    reason: Reason
    message: str


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one reconcile came to.

    The manager writes, in this order and only where something changes: ``metadata`` (finalizers,
    labels, annotations), ``spec``, ``status``. Each is a JSON merge patch of that part.
    """

    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)
    """A merge patch of ``metadata``; ``finalizers`` is always the whole list."""
    spec: dict[str, Any] = dataclasses.field(default_factory=dict)
    """A merge patch of ``spec``: ``controlPlaneEndpoint`` or ``providerID``, nothing else."""
    status: dict[str, Any] | None = None
    """The whole new status, or None to leave it as it is."""
    events: tuple[Event, ...] = ()
    again_s: float | None = None
    """Seconds until the next look even if nothing happens; None means: at the next resync."""
    retry: bool = False
    """Whether something went wrong, so that the next look comes after a growing pause."""
