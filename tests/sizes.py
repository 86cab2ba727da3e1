"""Print how much Python there is: lines per folder, and the longest files."""

import collections
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
LONGEST = 10


def main():
    """Count the files below the folders of the top level."""
    lines = {
        path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines())
        for path in sorted(ROOT.glob("[a-z]*/**/*.py"))
    }
    folders = collections.Counter()
    for path, count in lines.items():
        folders[path.parent] += count
    for folder, count in sorted(folders.items()):
        print(f"{count:6}  {folder}/")
    print(f"{sum(lines.values()):6}  in all\n\nThe longest files:")
    for path, count in sorted(lines.items(), key=lambda item: -item[1])[:LONGEST]:
        print(f"{count:6}  {path}")


if __name__ == "__main__":
    main()
