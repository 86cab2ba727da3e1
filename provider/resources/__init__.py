"""The kinds of OUTSCALE resources, one module each."""
