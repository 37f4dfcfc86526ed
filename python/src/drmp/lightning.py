"""Checkpoints for Lightning.

    loader = drmp.torch.Loader(DataLoader(...))
    trainer = Trainer(callbacks=[DrmpCheckpoint(every_n_steps=100)], plugins=[BlockCheckpointIO()], ...)
    trainer.fit(module, loader, ckpt_path=drmp.lightning.latest())

Lightning by itself saves no random states, and begins its data again when it resumes within an epoch. The callback and
`drmp.torch.Loader` save both, so that a resumed run has the same bits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.plugins.io import CheckpointIO
from lightning.pytorch.trainer.states import TrainerFn

from . import checkpoint, randomness
from ._drain import on_drain
from ._errors import CheckpointError, DrmpError
from .torch import STATE_FILE, Loader, drain_requested, frozen_names, read_state, write_state

_TORCH_FILE = "lightning.ckpt"
_RANDOM = "drmp_random"


def latest() -> str | None:
    """Return what `Trainer.fit(ckpt_path=...)` takes; None if the unit starts from nothing."""
    newest = checkpoint.latest()
    if newest is None:
        return None
    for file in (STATE_FILE, _TORCH_FILE):
        if (newest.path / file).is_file():
            return str(newest.path / file)
    raise CheckpointError(
        f"{newest.path} has no {STATE_FILE} or {_TORCH_FILE}: something else than DrmpCheckpoint wrote it."
    )


class BlockCheckpointIO(CheckpointIO):
    """Writes Lightning's checkpoints with tensors at block borders, and without pickle. See `drmp.layout`.

    Hyperparameters have to be numbers, texts, lists and dictionaries.
    """

    def __init__(self) -> None:
        self.frozen: frozenset[str] = frozenset()
        """Names of tensors that do not change, such as `state_dict.backbone.weight`; `DrmpCheckpoint` sets them."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_state(Path(path).parent, checkpoint, frozen=self.frozen, file=Path(path).name)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Read a checkpoint. Nothing in it is executed, whatever `weights_only` says."""
        state: dict[str, Any] = read_state(Path(path).parent, file=Path(path).name)
        return state

    def remove_checkpoint(self, path: Any) -> None:
        """Delete a checkpoint."""
        Path(path).unlink(missing_ok=True)


class DrmpCheckpoint(Callback):
    """Saves every so many optimiser steps, or where the agent says (`drmp.checkpoint.due()`).

    Leaves after a last checkpoint when asked to, with exit code 143. Validation gets random numbers of its own, so that
    training has the same whether or not it resumed before one.
    """

    def __init__(self, every_n_steps: int, *, keep: int | None = 2) -> None:
        if every_n_steps < 1:
            raise DrmpError(f"every_n_steps is {every_n_steps}: it has to be at least 1.")
        self._every = every_n_steps
        self._keep = keep
        self._drain = on_drain()
        self._step = 0
        self._resumed: dict[str, Any] | None = None
        self._outside: dict[str, Any] | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuse data that could not go on where it was."""
        self._step = trainer.global_step
        if self._step > 0 and checkpoint.stops(self._step):
            self._drain.exit()
        for loader in _loaders(trainer):
            if not hasattr(loader, "state_dict") or not hasattr(loader, "load_state_dict"):
                raise DrmpError(
                    f"The training data ({type(loader).__name__}) would begin again when the unit resumes within an "
                    "epoch: wrap it in drmp.torch.Loader."
                )
        plugin = trainer.strategy.checkpoint_io
        if isinstance(plugin, BlockCheckpointIO):
            plugin.frozen = frozenset(frozen_names(pl_module, "state_dict"))

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Set the random states of the checkpoint, unless the data's own state has them."""
        resumed, self._resumed = self._resumed, None
        if resumed is not None and not any(isinstance(loader, Loader) for loader in _loaders(trainer)):
            randomness.restore(resumed)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save if it is time to, or if this program was asked to leave."""
        # Validation draws before any of its hooks: what it is to leave as it was, is noted here.
        self._outside = randomness.capture()
        leave = drain_requested(self._drain)
        # While gradients are being accumulated there is no state to save.
        if trainer.global_step == self._step:
            return
        self._step = trainer.global_step
        leave = leave or checkpoint.stops(self._step)
        if leave or checkpoint.due(self._step, self._every):
            self._save(trainer)
        if leave:
            self._drain.exit()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Set the random states that training had before."""
        if trainer.state.fn == TrainerFn.FITTING and self._outside is not None:
            randomness.restore(self._outside)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Add the random states to a checkpoint."""
        checkpoint[_RANDOM] = randomness.capture()

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Remember the random states of a checkpoint."""
        self._resumed = checkpoint.get(_RANDOM)

    def _save(self, trainer: Trainer) -> None:
        first = trainer.is_global_zero
        pending = checkpoint.begin(self._step) if first else None
        where = trainer.strategy.broadcast("" if pending is None else str(pending.path))
        blocks = isinstance(trainer.strategy.checkpoint_io, BlockCheckpointIO)
        trainer.save_checkpoint(Path(where) / (STATE_FILE if blocks else _TORCH_FILE))
        if pending is not None:
            total = float(trainer.estimated_stepping_batches)
            progress = min(1.0, self._step / total) if 0 < total < float("inf") else None
            pending.commit(progress, keep=self._keep)


def _loaders(trainer: Trainer) -> list[Any]:
    combined = trainer.fit_loop._combined_loader  # the only way to them that holds for all kinds of data
    return [] if combined is None else list(combined.flattened)
