"""What a matrix is doing, as a table that is drawn again and again."""

import time
from collections import Counter
from collections.abc import Sequence

from rich.table import Table

from carpus.app.bench.engines import Event, State
from carpus.app.bench.jobs import Job, read_record
from carpus.training.run_files import HISTORY_FILE

_STYLES = {State.RUNNING: "bold", State.DONE: "green", State.FAILED: "red", State.WAITING: "dim"}


class Board:
    """Knows the state of each job, and how long the rest will take.

    Args:
        jobs: Of the matrix, those that are done already as well.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.states = {job: State.DONE if job.is_done else State.WAITING for job in jobs}
        self.reasons: dict[Job, str] = {}
        self.begun: dict[Job, float] = {}

    def take(self, event: Event) -> None:
        """Takes note of an event."""
        self.states[event.job] = event.state
        self.reasons[event.job] = event.reason
        if event.state is State.RUNNING:
            self.begun[event.job] = time.monotonic()

    def line(self, event: Event) -> str:
        """An event in one line, for logs."""
        over = sum(state in (State.DONE, State.FAILED) for state in self.states.values())
        reason = f": {event.reason}" if event.reason else ""
        return f"[{over}/{len(self.states)}] {event.job.name} {event.state.value}{reason}"

    def table(self) -> Table:
        """The table as of now; of many jobs the running and failed ones, and as many others as fit."""
        counts = Counter(self.states.values())
        title = ", ".join(f"{counts[state]} {state.value}" for state in State if counts[state])
        table = Table(title=title, title_justify="left")
        for heading in ("run", "task", "state", "epoch", "latest", "time"):
            table.add_column(heading, justify="right" if heading in ("epoch", "time") else "left")
        for job, state in self.states.items():
            epoch, latest = _progress(job)
            text = self.reasons.get(job) or latest
            shown = f"{epoch}/{job.recipe.epochs}" if epoch else ""
            table.add_row(
                job.name, job.recipe.task, state.value, shown, text, self._time(job, state, epoch), style=_STYLES[state]
            )
        return table

    def _time(self, job: Job, state: State, epoch: int) -> str:
        if state is State.DONE:
            record = read_record(job)
            return "" if record is None else _clock(record.seconds)
        if state is not State.RUNNING:
            return ""
        spent = time.monotonic() - self.begun[job]
        left = f", {_clock(spent / epoch * (job.recipe.epochs - epoch))} left" if epoch else ""
        return _clock(spent) + left


def _progress(job: Job) -> tuple[int, str]:
    """The last whole epoch of a run, 0 before the first, and its validation figure."""
    path = job.folder / HISTORY_FILE
    try:
        head, *rows = path.read_text("utf-8").splitlines()
        last = dict(zip(head.split(","), rows[-1].split(","), strict=True))
        figures = [f"{name} {float(last[name]):.3f}" for name in ("val_dsc", "val_auroc") if last.get(name)]
        return int(float(last["epoch"])), " ".join(figures)
    except (OSError, ValueError, IndexError, KeyError):
        return 0, ""


def _clock(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
