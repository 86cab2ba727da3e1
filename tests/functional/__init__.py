"""Laws and states: whole parts together, without mocks of our own code."""
