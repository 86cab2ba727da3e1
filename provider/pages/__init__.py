"""Pages of docs/ with tables that are written from the source."""
