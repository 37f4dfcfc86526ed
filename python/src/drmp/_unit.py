"""Which unit of which task this program runs, from its environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ._errors import EnvironmentInvalidError

_NUMBERS = ("DRMP_TASK_ID", "DRMP_UNIT_INDEX", "DRMP_UNIT_COUNT", "DRMP_ATTEMPT")
_DIRECTORIES = ("DRMP_CHECKPOINT_DIR", "DRMP_INPUT_DIR", "DRMP_OUTPUT_DIR")
_STEPS = ("DRMP_CHECKPOINT_STEPS", "DRMP_STOP_AT")
_LOCAL = "drmp-local"


@dataclass(frozen=True)
class Unit:
    """One unit of a task, and where its files are."""

    task_id: int
    """The task; 0 where no agent has started the program."""
    index: int
    """Index of this unit in its task, from 0."""
    count: int
    """Units of the task."""
    attempt: int
    """1 for the first start under this lease."""
    checkpoint_dir: Path
    """Where checkpoints are read and written; the newest is restored already."""
    input_dir: Path
    """Inputs, to be read only."""
    output_dir: Path
    """Where results go."""
    exchange_dir: Path | None = None
    """What units of one task exchange; None if they exchange nothing. See `drmp.exchange`."""
    exchange_quorum: int = 1
    """Units that a round needs."""
    exchange_grace: float = 30.0
    """Seconds for which a round waits for more of them."""
    checkpoint_steps: int | None = None
    """Steps from one local checkpoint to the next; None if the program chooses. See `drmp.checkpoint.due()`."""
    stop_at: int | None = None
    """Step at which the program stops with its state written; None if it runs to its end."""


def unit(environ: Mapping[str, str] | None = None) -> Unit:
    """Read the variables that the agent sets.

    Where none of them is set, as on a developer's own machine, this is unit 0 of 1 with directories below
    `./drmp-local`, which are made.

    Raises:
        EnvironmentInvalidError: Some are set and others not, or one makes no sense.
    """
    env = os.environ if environ is None else environ
    if not any(env.get(name) for name in _NUMBERS + _DIRECTORIES):
        return _local_unit()
    task_id, index, count, attempt = (_whole(env, name) for name in _NUMBERS)
    checkpoint, inputs, output = (Path(_text(env, name)) for name in _DIRECTORIES)
    if index >= count:
        raise EnvironmentInvalidError(
            f"DRMP_UNIT_INDEX is {index}, but DRMP_UNIT_COUNT is {count}: indices start at 0."
        )
    steps, stop_at = (_whole(env, name) if env.get(name) else None for name in _STEPS)
    if steps == 0:
        raise EnvironmentInvalidError("DRMP_CHECKPOINT_STEPS is 0: it has to be at least 1.")
    told = Unit(task_id, index, count, attempt, checkpoint, inputs, output, checkpoint_steps=steps, stop_at=stop_at)
    if not env.get("DRMP_EXCHANGE_DIR"):
        return told
    quorum, grace = _whole(env, "DRMP_EXCHANGE_QUORUM"), _whole(env, "DRMP_EXCHANGE_GRACE")
    exchange = Path(env["DRMP_EXCHANGE_DIR"])
    return replace(told, exchange_dir=exchange, exchange_quorum=quorum, exchange_grace=float(grace))


def _local_unit() -> Unit:
    checkpoint, inputs, output = (Path.cwd() / _LOCAL / name for name in ("checkpoint", "input", "output"))
    for directory in (checkpoint, inputs, output):
        directory.mkdir(parents=True, exist_ok=True)
    return Unit(0, 0, 1, 1, checkpoint, inputs, output)


def _text(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if value == "":
        raise EnvironmentInvalidError(f"{name} is not set, but others of the contract are: set all or none of them.")
    return value


def _whole(env: Mapping[str, str], name: str) -> int:
    value = _text(env, name)
    if re.fullmatch(r"[0-9]{1,15}", value) is None:
        raise EnvironmentInvalidError(f'{name} is "{value}": it has to be a whole number.')
    return int(value)
