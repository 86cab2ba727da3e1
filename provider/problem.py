"""What is wrong with something that a person wrote."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong, where it stands, and what to do."""

    path: str
    """The field, as in YAML: ``spec.network.subnets[0].ipRange``."""
    message: str
    """A sentence with both values, then what to do."""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"
