"""``python -m tests.simulate``: live many lives, and print the shortest way to each broken law."""

import argparse
import sys
import time
import traceback

from tests.simulate import life as lives

EVERY_S = 2.0


def main():
    """Live the lives; exit with 1 when a law was broken."""
    options = _options()
    begun = told = time.monotonic()
    broken = []
    for number in range(options.count):
        seed = options.seed + number
        problem = attempt(seed, options.keep, print if options.trace else None)
        if problem is None and options.twice:
            problem = _differs(seed)
        if problem:
            broken.append(seed)
            _report(seed, problem, options)
        now = time.monotonic()
        if now - told > EVERY_S or number + 1 == options.count:
            told = now
            rate = (number + 1) / (now - begun)
            line = (
                f"{number + 1} of {options.count} lives, {len(broken)} broken, {rate:.0f} a second"
            )
            print(line, flush=True)
    print(
        f"Seeds {options.seed} to {options.seed + options.count - 1}; broken: {broken or 'none'}."
    )
    return 1 if broken else 0


def _options():
    parser = argparse.ArgumentParser(prog="tests.simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--count", type=int, default=200, help="how many seeds")
    parser.add_argument("--keep", type=_numbers, help="let only these events happen: 1,4,7")
    parser.add_argument("--trace", action="store_true", help="tell what happens")
    parser.add_argument("--twice", action="store_true", help="live twice, and compare")
    parser.add_argument("--short", action="store_true", help="look for no shorter way")
    return parser.parse_args()


def _numbers(text):
    return {int(each) for each in text.split(",") if each}


def attempt(seed, keep=None, tell=None):
    """Live one life; return what went wrong, or None."""
    try:
        lives.Life(seed, keep, tell).run()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return error
    return None


def _differs(seed):
    if lives.Life(seed).run().digest == lives.Life(seed).run().digest:
        return None
    return AssertionError("Two lives of the same seed differ.")


def shortest(seed, keep):
    """Return as few events as break a law in the same way, leaving out one after the other."""
    first = attempt(seed, keep)
    for number in sorted(keep, reverse=True):
        less = keep - {number}
        if _alike(attempt(seed, less), first):
            keep = less
    return keep


def _alike(one, other):
    return type(one) is type(other) and str(one).split(":")[0] == str(other).split(":")[0]


def _report(seed, problem, options):
    lines = "".join(traceback.format_exception(problem)[-3:]).strip()
    print(f"Seed {seed}: {lines if not options.short else str(problem)[:1000]}")
    keep = options.keep
    if not options.short:
        keep = keep or {event.number for event in lives.Life(seed).events}
        keep = shortest(seed, keep)
    told = f" KEEP={','.join(str(each) for each in sorted(keep))}" if keep is not None else ""
    print(f"    make simulate SEED={seed} COUNT=1{told} FLAGS=--trace", flush=True)


if __name__ == "__main__":
    sys.exit(main())
