"""Tests of the provider on simulated clouds and Kubernetes APIs."""
