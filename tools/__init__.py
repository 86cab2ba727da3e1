"""The real components that tests compare with: pinned Go modules, built here, and run on loopback.

    python -m tools build     Build what is missing; 'make tools' does this.
    python -m tools list      Show each tool, its version, and where it is.

Tests say ``tools.require("etcd", "kube-apiserver")``, which gives paths or raises ``Missing``.
"""

from tools.cache import Missing, find, require
from tools.modules import source

__all__ = ["Missing", "find", "require", "source"]
