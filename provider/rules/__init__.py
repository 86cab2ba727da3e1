"""What is known about clusters on OUTSCALE, as pure functions and tables."""
