"""The simulated resources: one module per kind, with the same names as ``provider/resources``.

A module declares its kinds and holds one function per action, named like the action and with the
request's parameters. Modules refer to each other's kinds by name and to each other's actions
through ``call.run``; they never import each other.
"""

from __future__ import annotations

import importlib
import pkgutil


def load_all() -> None:
    """Import every module of this package, so that all kinds and actions are known."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
