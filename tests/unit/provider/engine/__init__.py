"""Tests of the engine, on kinds that exist nowhere else."""
