"""Unit tests of the way out to OUTSCALE."""
