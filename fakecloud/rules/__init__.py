"""What OUTSCALE knows: addresses, VM types, placement, quotas, user data, images and regions."""
