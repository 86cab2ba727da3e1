"""An event loop whose time jumps to the next date, so that a test of hours takes no time."""

import asyncio
import selectors


class _Jumping(selectors.DefaultSelector):
    """Never waits: when nothing has happened, time goes on instead."""

    now_s = 0.0

    def select(self, timeout=None):
        found = super().select(0)
        if not found and timeout:
            self.now_s += timeout
        return found


class Loop(asyncio.SelectorEventLoop):
    """Seconds since the start of the loop, of which none is real."""

    def __init__(self):
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self):
        return self._jumping.now_s


def run(work):
    """Run a coroutine in such a loop."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(work)
