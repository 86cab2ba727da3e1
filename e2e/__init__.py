"""End-to-end: everything here works from outside, through processes, HTTP and kubeconfigs."""
