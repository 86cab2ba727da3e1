"""The way out to OUTSCALE."""
