"""``python -m tests.simulate``: live many lives, and print the shortest way to each broken law."""

import argparse
import os
import sys
import time

from tests.simulate import life, many

EVERY_S = 2.0


def main():
    """Live the lives, on all cores; exit with 1 when a law was broken."""
    options = _options()
    seeds = range(options.seed, options.seed + options.count)
    begun = told = time.monotonic()
    broken = []
    for number, (seed, problem) in enumerate(many.lives(seeds, options), start=1):
        if problem:
            broken.append(seed)
            _report(seed, problem, options)
        now = time.monotonic()
        if now - told > EVERY_S or number == options.count:
            told = now
            rate = number / (now - begun)
            line = f"{number} of {options.count} lives, {len(broken)} broken, {rate:.1f} a second"
            print(line, flush=True)
    print(f"Seeds {seeds[0]} to {seeds[-1]}; broken: {broken or 'none'}.")
    return 1 if broken else 0


def _options():
    parser = argparse.ArgumentParser(prog="tests.simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--count", type=_some, default=200, help="how many seeds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at a time")
    parser.add_argument("--keep", type=_numbers, help="let only these events happen: 1,4,7 or none")
    parser.add_argument("--trace", action="store_true", help="tell what happens")
    parser.add_argument("--twice", action="store_true", help="live twice, and compare")
    parser.add_argument("--short", action="store_true", help="look for no shorter way")
    return parser.parse_args()


def _some(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} lives are none. Ask for one at least.")
    return number


def _numbers(text):
    return set() if text == "none" else {int(each) for each in text.split(",")}


def shortest(seed, keep):
    """Return as few events as break a law in the same way, leaving out one after the other."""
    first = many.attempt(seed, keep)
    for number in sorted(keep, reverse=True):
        less = keep - {number}
        if _alike(many.attempt(seed, less), first):
            keep = less
    return keep


def _alike(one, other):
    return type(one) is type(other) and str(one).split(":")[0] == str(other).split(":")[0]


def _report(seed, problem, options):
    text, lines = problem
    print(f"Seed {seed}: {text[:1000] if options.short else lines}")
    keep = options.keep
    if not options.short:
        keep = keep or {event.number for event in life.Life(seed).events}
        keep = shortest(seed, keep)
    told = ",".join(str(each) for each in sorted(keep or ())) or "none"
    told = f" KEEP={told}" if keep is not None else ""
    print(f"    make simulate SEED={seed} COUNT=1{told} FLAGS=--trace", flush=True)


if __name__ == "__main__":
    sys.exit(main())
