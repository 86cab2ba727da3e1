"""Copies of JSON values; patches change nothing that they are given."""

from __future__ import annotations

from typing import Any

Json = Any


def copied(value: Json) -> Json:
    """Return a copy that shares nothing with the original."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value
