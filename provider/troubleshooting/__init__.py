"""docs/troubleshoot.md, written from the source: what users are told, and what to do about it."""
