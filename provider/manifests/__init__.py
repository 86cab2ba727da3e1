"""What is installed in a management cluster, and what clusterctl makes clusters from."""

from __future__ import annotations

from provider.manifests.release import Options, ReleaseError, components, files, text, write

__all__ = ["Options", "ReleaseError", "components", "files", "text", "write"]
