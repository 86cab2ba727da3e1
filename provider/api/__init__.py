"""The types of the provider's Kubernetes API."""
