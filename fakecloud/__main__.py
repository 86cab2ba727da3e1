"""``python -m fakecloud``: the same as the command ``fakecloud``."""

from fakecloud.cli import main

if __name__ == "__main__":
    main(prog_name="fakecloud")
