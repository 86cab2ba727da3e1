"""An OUTSCALE cloud in memory that unmodified clients cannot tell from the real one."""
