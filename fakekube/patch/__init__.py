"""The four kinds of patches, and who owns which field: pure functions over plain dicts."""

from fakekube.patch.apply import FieldManager, versions
from fakekube.patch.json_patch import json_patch
from fakekube.patch.managed import settle, user_agent_manager
from fakekube.patch.merge import merge_patch
from fakekube.patch.strategic import strategic_merge

__all__ = [
    "FieldManager",
    "json_patch",
    "merge_patch",
    "settle",
    "strategic_merge",
    "user_agent_manager",
    "versions",
]
