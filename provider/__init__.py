"""A Cluster API infrastructure provider for the OUTSCALE cloud."""
