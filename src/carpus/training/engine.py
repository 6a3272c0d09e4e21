"""Lightning set up for a recipe: where it computes, what watches it, what it writes."""

import inspect
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
import torch
from lightning.pytorch.loggers import Logger, MLFlowLogger, TensorBoardLogger
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch.nn.parallel import DistributedDataParallel

from carpus.errors import InputError
from carpus.files import new_file
from carpus.training.recipe import Recipe

TENSORBOARD_FOLDER = "tensorboard"
_MLFLOW_FILE = "mlflow.txt"


@dataclass(frozen=True)
class Engine:
    """What a training runs on. None of it changes what is learnt, beyond the last digits.

    Attributes:
        device: `cpu`, `gpu`, or `auto` for the best there is.
        devices: Processes on this machine, one a GPU or CPU; they share each batch.
        nodes: Machines, each with so many devices, started by torchrun or SLURM.
        workers: Processes beside each of these that prepare samples; None for up to eight on a GPU and none on a CPU.
        mlflow: Whether figures also go to MLflow, to the server in MLFLOW_TRACKING_URI.
    """

    device: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int = 1
    nodes: int = 1
    workers: int | None = None
    mlflow: bool = False

    @property
    def on_gpu(self) -> bool:
        """Whether it computes on a GPU of NVIDIA's."""
        return self.device != "cpu" and torch.cuda.is_available()

    @property
    def sample_workers(self) -> int:
        """How many processes prepare samples."""
        if self.workers is not None:
            return self.workers
        return min(8, (os.cpu_count() or 1) // self.devices) if self.on_gpu else 0


def make_trainer(recipe: Recipe, run: Path, engine: Engine, callbacks: list[pl.Callback], plugins: list[Any]) -> Any:
    """A Lightning trainer for the recipe."""
    if engine.device == "gpu" and not torch.cuda.is_available():
        raise InputError("this machine has no GPU that PyTorch can use; leave the device out, or choose cpu")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    logging.getLogger("lightning.fabric").setLevel(logging.ERROR)
    return pl.Trainer(
        accelerator=engine.device,
        devices=engine.devices,
        num_nodes=engine.nodes,
        strategy=_strategy(engine),
        precision=lightning_precision(recipe, engine),
        max_epochs=recipe.epochs,
        callbacks=callbacks,
        plugins=plugins,
        logger=_loggers(run, engine),
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        use_distributed_sampler=False,
        sync_batchnorm=engine.on_gpu and engine.devices * engine.nodes > 1,
        # Some operations have no deterministic form on a GPU; PyTorch then says so and goes on.
        deterministic="warn" if engine.on_gpu else True,
        gradient_clip_val=recipe.clip_norm,
    )


def is_first_process() -> bool:
    """Whether this process writes what all of a training share, as torchrun, SLURM or Lightning numbered it."""
    numbers = (os.environ.get(name) for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"))
    return next((number for number in numbers if number), "0") == "0"


@contextmanager
def quiet() -> Iterator[None]:
    """Without Lightning's remarks on what is meant to be so."""
    with warnings.catch_warnings():
        # A sample takes a millisecond or two from the packed cache, far less than the network.
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        # Lightning's own, against the newest PyTorch.
        warnings.filterwarnings("ignore", ".*isinstance\\(treespec, LeafSpec\\).*")
        # An epoch may have fewer steps than Lightning writes logs at, which are written once an epoch.
        warnings.filterwarnings("ignore", ".*is smaller than the logging interval.*")
        # Figures that all processes share already.
        warnings.filterwarnings("ignore", ".*It is recommended to use `self.log.*sync_dist=True.*")
        yield


def _strategy(engine: Engine) -> str | Strategy:
    if engine.devices * engine.nodes == 1:
        return "auto"
    # Validation batches differ in number between the processes, so that buffers cannot be exchanged with them.
    named_anew = "forward_sync_buffers" in inspect.signature(DistributedDataParallel).parameters
    no_exchange: dict[str, Any] = {"forward_sync_buffers" if named_anew else "broadcast_buffers": False}
    return DDPStrategy(process_group_backend=None if engine.on_gpu else "gloo", **no_exchange)


def lightning_precision(recipe: Recipe, engine: Engine) -> Literal["32-true", "16-mixed", "bf16-mixed"]:
    """The recipe's precision where the engine computes, in Lightning's words."""
    if recipe.precision == "auto":
        return "bf16-mixed" if _has_bfloat16(engine) else "32-true"
    if recipe.precision == "float16":
        return "16-mixed" if engine.on_gpu else "32-true"
    return "bf16-mixed" if recipe.precision == "bfloat16" else "32-true"


def _has_bfloat16(engine: Engine) -> bool:
    """Whether there are instructions for bfloat16; without them PyTorch has to imitate it."""
    return torch.cuda.is_bf16_supported() if engine.on_gpu else torch.cpu._is_avx512_bf16_supported()


def _loggers(run: Path, engine: Engine) -> list[Logger]:
    loggers: list[Logger] = []
    if find_spec("tensorboard"):
        loggers.append(TensorBoardLogger(run, name="", version=TENSORBOARD_FOLDER))
    if engine.mlflow:
        loggers.append(_mlflow(run))
    return loggers


def _mlflow(run: Path) -> Logger:
    """MLflow's run of this training, the same one again after an interruption."""
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        raise InputError("MLflow's server is not known; set MLFLOW_TRACKING_URI, such as to http://localhost:5000")
    note = run / _MLFLOW_FILE
    known = note.read_text("utf-8").strip() if note.is_file() else None
    try:
        logger = MLFlowLogger(experiment_name="carpus", run_name=run.name, tracking_uri=uri, run_id=known)
        name = logger.run_id
    except ModuleNotFoundError:
        raise InputError("MLflow is not installed; install it with: pip install 'carpus[mlflow]'") from None
    except Exception as error:  # MLflow's own, which cannot be named where it is not installed
        raise InputError(f"MLflow at {uri} cannot be used ({error}); check MLFLOW_TRACKING_URI") from error
    if name and name != known:
        with new_file(note) as draft:
            draft.write_text(name + "\n", "utf-8")
    return logger
