"""What may be the name of a kind or of a version: a DNS label that starts with a letter."""

from __future__ import annotations

import re

_LABEL = "[a-z]([-a-z0-9]*[a-z0-9])?"
_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    f"regex used for validation is '{_LABEL}')"
)
_is_label = re.compile(_LABEL).fullmatch


def label(text: str) -> list[str]:
    """Return what keeps a text from being such a label."""
    found = ["must be no more than 63 bytes"] if len(text) > 63 else []
    return found if _is_label(text) else [*found, _TEXT]
