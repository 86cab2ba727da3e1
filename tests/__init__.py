"""All tests: what each folder asks is in CONTRIBUTING.md."""
