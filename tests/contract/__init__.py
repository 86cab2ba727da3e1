"""One suite, run over every door and every server that claims to be the same."""
