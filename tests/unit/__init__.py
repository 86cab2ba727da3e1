"""Does this function do what it says? One file per source file; no I/O and no clock."""
