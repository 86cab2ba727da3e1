"""Many lives at a time: one process for each core."""

import functools
import multiprocessing
import traceback

from tests.simulate import life


def lives(seeds, options):
    """Yield each seed, in order, with what went wrong in its life, or None."""
    live = functools.partial(
        one, keep=options.keep, tell=print if options.trace else None, twice=options.twice
    )
    if options.trace or options.jobs == 1 or len(seeds) == 1:
        yield from map(live, seeds)
        return
    # Not forked: a child that begins afresh is the same wherever it runs.
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.jobs) as pool:
        yield from pool.imap(live, seeds, chunksize=4)


def one(seed, *, keep=None, tell=None, twice=False):
    """Live one life, or it and its like; return the seed and what went wrong."""
    problem = attempt(seed, keep, tell)
    if problem is None and twice:
        problem = _differs(seed)
    return seed, problem and _portable(problem)


def attempt(seed, keep=None, tell=None):
    """Live one life; return what went wrong, or None."""
    try:
        life.Life(seed, keep, tell).run()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return error
    return None


def _differs(seed):
    if life.Life(seed).run().digest == life.Life(seed).run().digest:
        return None
    return AssertionError("Two lives of the same seed differ.")


def _portable(problem):
    """Return what can be sent from one process to another: the message, and where it was raised."""
    lines = "".join(traceback.format_exception(problem)[-4:])
    return str(problem), lines.strip()
