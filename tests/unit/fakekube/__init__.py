"""Unit tests of fakekube."""
