"""How the tasks of kopf are ended."""

import asyncio

from provider.manager import watches


def test_a_task_that_does_not_end_is_left_behind(monkeypatch):
    monkeypatch.setattr(watches, "ENDED_WITHIN_S", 0.01)
    told, may_end = [], asyncio.Event()

    async def stubborn():
        while not may_end.is_set():
            try:
                await may_end.wait()
            except asyncio.CancelledError:
                told.append("stubborn")

    async def slow():
        try:
            await may_end.wait()
        finally:
            # What cleans up is ended too when it waits for others.
            await may_end.wait()

    async def run():
        tasks = [asyncio.create_task(each()) for each in (slow, stubborn)]
        await asyncio.sleep(0)
        await watches._end(tasks[:1])
        left = {task.get_coro().__name__ for task in tasks if not task.done()}
        may_end.set()
        await asyncio.wait(tasks)
        return left

    assert asyncio.run(run()) == {"stubborn"}
    assert len(told) == watches.ENDINGS - 1
