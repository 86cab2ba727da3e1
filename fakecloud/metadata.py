"""Placeholder until the metadata service is written (helper A3)."""
def answer(cloud, vm, path):
    return 404, "not yet"
