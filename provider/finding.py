"""What the doctor finds."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Finding:
    """What one look came to; a remedy makes it a failure, or a warning when it is not grave."""

    what: str
    told: str
    remedy: str = ""
    is_grave: bool = True

    @property
    def state(self) -> str:
        """OK, WARN or FAIL."""
        if not self.remedy:
            return "OK"
        return "FAIL" if self.is_grave else "WARN"

    def __str__(self) -> str:
        return f"{self.state:5} {self.what:12} {' '.join(filter(None, (self.told, self.remedy)))}"
