"""What a matrix will cost: hours and memory by network, from a few steps of each."""

import math
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from carpus.app.bench.jobs import Job, memory_used_mib
from carpus.data.dataset import Dataset
from carpus.data.layout import Split
from carpus.training.cases import task_cases
from carpus.training.cost import StepCost, measure_step
from carpus.training.recipe import Recipe


@dataclass(frozen=True)
class Estimate:
    """What the runs of one network that are still to do will cost; NaN where its steps could not be measured.

    Attributes:
        net: The network.
        task: `bones` or `erosion`.
        runs: Still to do.
        items: Training images, or joints.
        epochs: Of the recipe; an early stop makes it fewer.
        step_seconds: Of a training step.
        hours: Of all runs, without the reading of files.
        memory_mib: Most main memory of a process.
        gpu_memory_mib: Most memory of a GPU; None without one.
    """

    net: str
    task: str
    runs: int
    items: int
    epochs: int
    step_seconds: float
    hours: float
    memory_mib: float
    gpu_memory_mib: float | None


def estimate_costs(jobs: Sequence[Job], dataset: Dataset) -> Iterator[Estimate]:
    """The cost of each network's jobs that are not done, measured one after the other in processes of their own.

    Args:
        jobs: Of the matrix.
        dataset: That they will be trained on.

    Raises:
        InputError: A split without cases for a task.
    """
    left: dict[str, list[Job]] = {}
    for job in jobs:
        if not job.is_done:
            left.setdefault(job.recipe.net, []).append(job)
    for net, own in left.items():
        recipe = own[0].recipe
        items, val_items = (_items(dataset, recipe, split) for split in (Split.TRAIN, Split.VAL))
        cost, memory = _measured(recipe)
        steps, val_steps = math.ceil(items / recipe.batch_size), math.ceil(val_items / recipe.batch_size)
        seconds = recipe.epochs * (steps * cost.seconds + val_steps * cost.forward_seconds)
        yield Estimate(
            net=net,
            task=recipe.task,
            runs=len(own),
            items=items,
            epochs=recipe.epochs,
            step_seconds=cost.seconds,
            hours=len(own) * seconds / 3600,
            memory_mib=memory,
            gpu_memory_mib=cost.gpu_memory_mib,
        )


def _items(dataset: Dataset, recipe: Recipe, split: Split) -> int:
    cases = task_cases(dataset, recipe.task, split)
    return len(cases) if recipe.task == "bones" else sum(len(case.scores or {}) for case in cases)


def _measured(recipe: Recipe) -> tuple[StepCost, float]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
        try:
            return pool.submit(_measure, recipe).result()
        except (BrokenProcessPool, MemoryError, RuntimeError):  # killed, or too little memory
            return StepCost(math.nan, math.nan, None), math.nan


def _measure(recipe: Recipe) -> tuple[StepCost, float]:
    return measure_step(recipe), memory_used_mib()
