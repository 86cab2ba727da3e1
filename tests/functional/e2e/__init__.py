"""The ground of the end-to-end suite, where no Cluster API is needed to try it."""
