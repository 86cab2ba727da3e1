"""Tests of the provider, one file for each module."""
