"""Checkpoints that are found again: `checkpoint-<9 digits>`, complete from the moment they have that name.

A checkpoint is written under another name, brought to disk, and renamed. So a program that is killed at any moment
leaves complete checkpoints only, and what its node or the next one restores is whole.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ._errors import CheckpointError
from ._logs import flush_logs
from ._unit import unit

MAX_NUMBER = 999_999_999
"""Highest number of a checkpoint."""
PROGRESS_FILE = "progress.json"
"""File of a checkpoint directory that says how far the unit is."""

MAX_UNNOTED = 8
"""Checkpoints newer than the one that the agent has taken note of that are written, before it is waited for."""

_NOTED_FILE = ".noted"
_NOTED_SECONDS = 600.0
_NOTED_LOOK = 0.02
_NAME = re.compile(r"checkpoint-([0-9]{9})")
_MAX_PROGRESS_BYTES = 4096


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint."""

    step: int
    """Its number; a higher one is newer."""
    path: Path
    """A directory, or a file that another program has written."""
    progress: float | None
    """How far the unit was, 0 to 1; None if the checkpoint does not say."""


def name(step: int) -> str:
    """Return the name of a checkpoint, such as `checkpoint-000000042`.

    Raises:
        CheckpointError: The number is none that a checkpoint can have.
    """
    if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step <= MAX_NUMBER:
        raise CheckpointError(
            f"A checkpoint cannot have the number {step!r}: use whole numbers from 0 to {MAX_NUMBER}."
        )
    return f"checkpoint-{step:09d}"


def all_complete(directory: Path | None = None) -> list[Checkpoint]:
    """Return all complete checkpoints, the newest first."""
    folder = _directory(directory)
    if not folder.is_dir():
        return []
    found = []
    for entry in folder.iterdir():
        match = _NAME.fullmatch(entry.name)
        if match is None or entry.is_symlink():
            continue
        found.append(Checkpoint(int(match[1]), entry, _read_progress(entry) if entry.is_dir() else None))
    return sorted(found, key=lambda each: each.step, reverse=True)


def latest(directory: Path | None = None) -> Checkpoint | None:
    """Return the newest complete checkpoint, or None if the unit starts from nothing.

    Args:
        directory: Where checkpoints are; the unit's own if left out.
    """
    return next(iter(all_complete(directory)), None)


def due(step: int, every: int | None = None) -> bool:
    """Return whether a checkpoint is to be written after this step.

    Where the agent keeps the digests of checkpoints (`checkpoint.everySteps` of the spec), it says at which steps; else
    they are the multiples of `every`. The step to stop at is one in any case.

    Args:
        step: Steps that are done.
        every: Steps from one checkpoint to the next where the agent does not say; None for no checkpoints then.
    """
    told = unit()
    steps = every if told.checkpoint_steps is None else told.checkpoint_steps
    return step == told.stop_at or (steps is not None and step > 0 and step % steps == 0)


def stops(step: int) -> bool:
    """Return whether the program is to stop at this step, as its spec is verified or audited.

    Write a checkpoint of this very step, then leave with `Drain.exit_if_requested(step)`. Also ask right after
    resuming: what was restored may already be there.
    """
    stop_at = unit().stop_at
    return stop_at is not None and step >= stop_at


class Pending:
    """A checkpoint that is being written. It appears by `commit()`, or not at all."""

    def __init__(self, step: int, directory: Path | None = None) -> None:
        """Make an empty directory for it. Use `begin()`."""
        self.step = step
        """Its number."""
        self.final = _directory(directory) / name(step)
        """Where it will be."""
        self.path = self.final.with_name(f"{self.final.name}.tmp")
        """Where it is written."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)

    def commit(self, progress: float | None = None, *, keep: int | None = 2) -> Checkpoint:
        """Bring it to disk and let it appear.

        Args:
            progress: How far the unit is, 0 to 1, of which the chain learns.
            keep: How many checkpoints stay, this one included; None keeps all.

        Raises:
            CheckpointError: It is empty, or progress is not in 0 to 1.
        """
        if not any(self.path.iterdir()):
            raise CheckpointError(f"Checkpoint {self.step} is empty: let `write` put files into the directory it gets.")
        if progress is not None:
            if not 0 <= progress <= 1:
                raise CheckpointError(f"Progress {progress!r} is not in 0 to 1: state the share that is done.")
            (self.path / PROGRESS_FILE).write_text(json.dumps({"progress": float(progress)}))
        _sync_tree(self.path)
        if self.final.is_dir() and not self.final.is_symlink():
            # A directory cannot be renamed onto a full one. Killed in between, the one before it is the newest.
            replaced = self.final.with_name(f"{self.final.name}.replaced")
            shutil.rmtree(replaced, ignore_errors=True)
            self.final.rename(replaced)
            self.path.rename(self.final)
            shutil.rmtree(replaced, ignore_errors=True)
        else:
            self.final.unlink(missing_ok=True)
            self.path.rename(self.final)
        _sync(self.final.parent)
        if keep is not None:
            prune(keep, self.final.parent)
        flush_logs()
        return Checkpoint(self.step, self.final, progress)

    def abort(self) -> None:
        """Remove what was written so far."""
        shutil.rmtree(self.path, ignore_errors=True)


def begin(step: int, directory: Path | None = None) -> Pending:
    """Begin a checkpoint that is completed elsewhere, such as when another thread has written it.

    Raises:
        CheckpointError: The number is none, or lower than that of the newest checkpoint.
    """
    newest = latest(directory)
    if newest is not None and step < newest.step:
        raise CheckpointError(
            f"Checkpoint {step} would be older than {newest.step}, from which the unit would go on all the same: "
            "let numbers grow."
        )
    _wait_for_notes(_directory(directory))
    return Pending(step, directory)


def save(
    step: int,
    write: Callable[[Path], object],
    progress: float | None = None,
    *,
    keep: int | None = 2,
    directory: Path | None = None,
) -> Checkpoint:
    """Write a checkpoint that appears whole or not at all. Waits for one that is still being written.

    Args:
        step: Its number. A checkpoint of the same number is replaced; numbers grow.
        write: Gets an empty directory, and puts what the program needs into it.
        progress: How far the unit is, 0 to 1, of which the chain learns.
        keep: How many checkpoints stay, this one included; None keeps all.
        directory: Where checkpoints are; the unit's own if left out.

    Raises:
        CheckpointError: See `begin()` and `Pending.commit()`.
        OSError: Such as when the disk is full. Nothing has appeared then.
    """
    wait()
    pending = begin(step, directory)
    try:
        write(pending.path)
        return pending.commit(progress, keep=keep)
    except BaseException:
        pending.abort()
        raise


class Saving:
    """A checkpoint that another thread writes."""

    def __init__(self, work: Callable[[], Checkpoint]) -> None:
        """Begin at once. Use `save_in_background()`."""
        self._result: Checkpoint | None = None
        self._error: BaseException | None = None
        self._work = work
        # Not a daemon: a program that ends waits for its last checkpoint.
        self._thread = threading.Thread(target=self._run, name="drmp-checkpoint")
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:
            self._error = error

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return not self._thread.is_alive()

    def wait(self) -> Checkpoint:
        """Wait for its end.

        Raises:
            Exception: What kept it from being written.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._result is not None  # noqa: S101 - one of the two is set
        return self._result


_in_flight: list[Saving] = []


def save_in_background(
    step: int,
    write: Callable[[Path], object],
    progress: float | None = None,
    *,
    keep: int | None = 2,
    directory: Path | None = None,
) -> Saving:
    """Write a checkpoint in another thread, while training goes on. One at a time: waits for the one before.

    What `write` writes must not change meanwhile: copy it first, as `drmp.torch.save` does.

    Raises:
        CheckpointError: See `begin()`.
        Exception: What kept the checkpoint before this one from being written.
    """
    wait()
    pending = begin(step, directory)

    def work() -> Checkpoint:
        try:
            write(pending.path)
            return pending.commit(progress, keep=keep)
        except BaseException:
            pending.abort()
            raise

    return track(work)


def track(work: Callable[[], Checkpoint]) -> Saving:
    """Run what completes a checkpoint in a thread, which `wait()` and the next checkpoint wait for."""
    saving = Saving(work)
    _in_flight.append(saving)
    return saving


def wait() -> None:
    """Wait for the checkpoint that is being written in the background, if there is one.

    Raises:
        Exception: What kept it from being written. It is raised once.
    """
    while _in_flight:
        _in_flight.pop(0).wait()


def prune(keep: int = 2, directory: Path | None = None) -> list[Path]:
    """Delete all but the newest checkpoints. Two by default: a damaged newest falls back to the one before.

    What an agent that keeps digests has not taken note of yet stays.

    Returns:
        Paths of those deleted.
    """
    folder = _directory(directory)
    up_to = _noted(folder) if _is_noted(folder) else MAX_NUMBER
    old = [each.path for each in all_complete(folder)[max(1, keep) :] if each.step <= up_to]
    for path in old:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return old


def _directory(told: Path | None) -> Path:
    return unit().checkpoint_dir if told is None else told


def _is_noted(folder: Path) -> bool:
    """Return whether an agent takes note of the checkpoints in a directory."""
    return bool(os.environ.get("DRMP_CHECKPOINT_STEPS")) and folder == unit().checkpoint_dir


def _noted(folder: Path) -> int:
    try:
        text = (folder / _NOTED_FILE).read_text()
    except FileNotFoundError:
        return -1
    return int(text) if re.fullmatch(r"[0-9]{1,9}\n", text) else -1


def _wait_for_notes(folder: Path) -> None:
    """Wait while the agent has several checkpoints to take note of, unless this program has been asked to leave."""
    from ._drain import is_leaving

    if not _is_noted(folder):
        return
    noted, until = None, 0.0
    while not is_leaving():
        now = _noted(folder)
        if now != noted:
            noted, until = now, time.monotonic() + _NOTED_SECONDS
        ahead = sum(each.step > now for each in all_complete(folder))
        if ahead < MAX_UNNOTED:
            return
        if time.monotonic() > until:
            raise CheckpointError(
                f"The agent has taken note of no checkpoint for {_NOTED_SECONDS:.0f} s, and {ahead} wait for it: "
                "see its log."
            )
        time.sleep(_NOTED_LOOK)


def _read_progress(checkpoint: Path) -> float | None:
    path = checkpoint / PROGRESS_FILE
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _MAX_PROGRESS_BYTES:
            return None
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    value = content.get("progress") if isinstance(content, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return None
    return float(value)


def _sync_tree(root: Path) -> None:
    for directory, _, files in os.walk(root):
        for file in files:
            path = Path(directory, file)
            if not path.is_symlink():
                _sync(path)
        _sync(Path(directory))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
