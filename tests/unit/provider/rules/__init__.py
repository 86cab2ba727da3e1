"""Pure knowledge, tested with tables and properties."""
