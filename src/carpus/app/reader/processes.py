"""Work spread over processes of this machine, each of which may die without taking the others or the rest along."""

import contextlib
import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from carpus.errors import InputError

Item = TypeVar("Item")

TRIES = 2
"""The system may kill a process for the memory that another one takes, so once more."""
_STARTS = 4
"""So many processes in a row that die before they begin mean that none will."""


@dataclass(eq=False)
class _Worker(Generic[Item]):
    process: BaseProcess
    connection: Connection
    item: Item | None = None


def spread(
    items: Sequence[Item], start: Callable[[], Callable[[Item], str]], *, jobs: int, needed: Sequence[str] = ()
) -> Generator[tuple[Item, str], None, None]:
    """Each item with what the work says of it, in the order in which they end.

    An item whose process dies is tried once more; then its word is how the process ended.

    Args:
        items: To be worked on; they and `start` are pickled.
        start: Called once in every process; gives the work.
        jobs: How many processes at most.
        needed: Modules that the work needs; imported once for all processes where the system allows.

    Raises:
        InputError: `start` raised it, or processes die before they are ready.
    """
    context = _context(needed)
    waiting = deque(items)
    tries: dict[int, int] = {}
    died_early = 0
    workers: list[_Worker[Item]] = [_begin(context, start) for _ in range(min(jobs, len(items)))]
    try:
        while workers:
            ended = wait([worker.connection for worker in workers])
            for worker in [worker for worker in workers if worker.connection in ended]:
                item = worker.item
                try:
                    kind, words = worker.connection.recv()
                except (EOFError, OSError):  # it died
                    workers.remove(worker)
                    worker.process.join()
                    words = _how(worker.process.exitcode or 0)
                    if item is None:
                        died_early += 1
                        if died_early == _STARTS:
                            raise InputError(f"every process {words} before it began; try fewer --jobs") from None
                    else:
                        tries[id(item)] = tries.get(id(item), 0) + 1
                        if tries[id(item)] < TRIES:
                            waiting.append(item)
                        else:
                            yield item, f"its process {words}"
                    if waiting:
                        workers.append(_begin(context, start))
                    continue
                if kind == "refused":
                    raise InputError(words)
                died_early = 0
                worker.item = waiting.popleft() if waiting else None
                with contextlib.suppress(OSError):  # it died meanwhile, which is seen next
                    worker.connection.send(worker.item)
                if worker.item is None:
                    workers.remove(worker)
                    worker.process.join()
                if kind == "done":
                    assert item is not None  # noqa: S101 (it was given one)
                    yield item, words
    finally:
        # Also when nobody wants to know any more.
        for worker in workers:
            worker.process.kill()
            worker.process.join()


def _context(needed: Sequence[str]) -> BaseContext:
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    # One process imports everything and is forked, so that its memory is shared and a new process begins at once.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(needed))
    return context


def _begin(context: BaseContext, start: Callable[[], Callable[[Item], str]]) -> _Worker[Item]:
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, start), daemon=True)  # type: ignore[attr-defined]
    process.start()
    theirs.close()  # so that its death is seen
    return _Worker(process, ours)


def _serve(connection: Connection, start: Callable[[], Callable[[Item], str]]) -> None:
    """Works until there is nothing more to do, or nobody to do it for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that gave the work
    try:
        try:
            work = start()
        except InputError as error:
            connection.send(("refused", str(error)))
            return
        connection.send(("ready", ""))
        while (item := connection.recv()) is not None:
            connection.send(("done", work(item)))
    except (EOFError, BrokenPipeError):
        return


def _how(exitcode: int) -> str:
    if exitcode < 0:
        return f"was killed by signal {-exitcode}; was there too little memory?"
    return f"ended with status {exitcode}"
