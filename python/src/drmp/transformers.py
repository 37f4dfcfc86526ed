"""Checkpoints for `transformers.Trainer`.

arguments = TrainingArguments(output_dir=drmp.transformers.output_dir(), save_steps=100, ...)
trainer = Trainer(model, arguments, callbacks=[DrmpCallback()], ...)
trainer.train(resume_from_checkpoint=drmp.transformers.latest())
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from . import checkpoint, layout
from ._drain import on_drain
from ._unit import unit
from .torch import drain_requested


def output_dir() -> str:
    """Return a directory for `TrainingArguments` from which checkpoints appear by a rename, without a copy."""
    path = unit().checkpoint_dir / ".transformers"
    path.mkdir(parents=True, exist_ok=True)
    return str(path)


def latest() -> str | None:
    """Return what `Trainer.train(resume_from_checkpoint=...)` takes; None if the unit starts from nothing."""
    newest = checkpoint.latest()
    return None if newest is None else str(newest.path)


class DrmpCallback(TrainerCallback):
    """Lets each checkpoint of the Trainer appear where the agent looks, and leaves in time when it is asked to.

    The Trainer decides when to save (`save_strategy`, `save_steps`); it also saves where the agent says so
    (`drmp.checkpoint.due()`). It writes the random states and passes over the
    batches that were used by itself; keep `ignore_data_skip=False` and `save_only_model=False`, as they are by default.
    Once asked to leave, it saves after the step and ends the program with exit code 143.
    """

    def __init__(self, *, keep: int | None = 2) -> None:
        self._keep = keep
        self._drain = on_drain()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Leave, if what was restored is already at the step to stop at."""
        if state.global_step > 0 and checkpoint.stops(state.global_step):
            self._drain.exit()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """Save and stop, if this program was asked to leave."""
        stops = checkpoint.stops(state.global_step)
        if stops or (drain_requested(self._drain) and state.global_step < state.max_steps):
            control.should_save = True
            control.should_training_stop = True
        elif checkpoint.due(state.global_step):
            control.should_save = True
        return control

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Let the checkpoint appear."""
        import torch.distributed as dist

        if dist.is_available() and dist.is_initialized():
            dist.barrier()  # each process has written its random states
        if not state.is_world_process_zero:
            return
        source = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        named = [] if kwargs.get("model") is None else list(kwargs["model"].named_parameters())
        frozen = frozenset(name for name, each in named if not each.requires_grad)
        stays = args.load_best_model_at_end

        def write(directory: Path) -> None:
            for entry in sorted(source.iterdir()):
                _take(entry, directory / entry.name, stays=stays)
            if 0 < len(frozen) < len(named):
                for file in directory.glob("*.safetensors"):
                    layout.rearrange(file, frozen)

        progress = state.global_step / state.max_steps if state.max_steps > 0 else None
        checkpoint.save(state.global_step, write, progress, keep=self._keep)
        if not stays:
            source.rmdir()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Leave, if training ended because this program was asked to."""
        if (self._drain and state.global_step < state.max_steps) or checkpoint.stops(state.global_step):
            self._drain.exit()


def _take(source: Path, target: Path, *, stays: bool) -> None:
    if not stays:
        shutil.move(source, target)
    elif source.is_dir():
        shutil.copytree(source, target, copy_function=_link)
    else:
        _link(str(source), str(target))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
