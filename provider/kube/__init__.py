"""The way out to Kubernetes."""
