"""Let ``python -m provider`` be the command ``caposc``."""

from provider.cli import main

main()
