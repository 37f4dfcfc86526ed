"""DiLoCo: one model on many machines, with local steps and rare exchanges.

    trainer = DiLoCo(model, lambda parameters: torch.optim.AdamW(parameters, lr=1e-3), every=100)
    for round in trainer.rounds(20):
        for batch in batches_of(round.number, round.unit):
            ...                  # a local step with round.optimizer
            if not round.step(): # after each
                break

Each unit takes `every` steps with an optimiser of its own, which begins from zero each round. What they have changed on
average is then one step with Nesterov's momentum. What a unit contributes follows from the shared state, the round and
the unit alone, as long as its batches do: then a run is reproduced, to the bit, by who took part in its rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from . import checkpoint
from ._drain import Drain, on_drain
from ._logs import flush_logs
from ._unit import Unit
from .exchange import Advance, Record, Rounds, digest_of
from .torch import mean_of, pack, read_state, unpack, write_state

SIGN_OF_LIFE = 10.0
"""While a unit waits for a round, it saves its checkpoint again so often, seconds."""
LOOK_STEPS = 8
"""Steps from one look at the rounds of others to the next."""


class Round:
    """A round that this unit takes part in."""

    def __init__(self, number: int, unit: Unit, every: int, optimizer: torch.optim.Optimizer, over: Callable[[], bool]):
        self.number = number
        """The first is 1."""
        self.unit = unit
        """This unit; its batches should follow from its index and the round alone."""
        self.optimizer = optimizer
        """Begins from zero each round."""
        self.every = every
        self.done = 0
        """Steps that are taken."""
        self.abandoned = False
        """Whether the others have gone on without this unit, or it is to leave."""
        self._over = over

    def step(self) -> bool:
        """Count a local step. Return whether another one is to follow."""
        self.done += 1
        if self.done < self.every and self.done % LOOK_STEPS == 0 and self._over():
            self.abandoned = True
        return self.done < self.every and not self.abandoned


class DiLoCo:
    """Trains a model's parameters that require gradients together with the task's other units.

    Goes on from the newest checkpoint, which it writes after each round. All units have to make the same model first,
    such as with `torch.manual_seed(0)`; buffers, such as those of batch normalisation, are not exchanged.

    Args:
        model: On any device.
        inner: Makes the local optimiser of a round.
        every: Local steps of a round.
        outer_lr: Rate of the step over the average.
        outer_momentum: Its Nesterov momentum.
        quorum: Units that a round needs; the spec's `exchange.quorum` if left out.
        grace: Seconds for which a round waits for more of them; the spec's if left out.
        keep: How many checkpoints stay.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        inner: Callable[[Iterable[torch.nn.Parameter]], torch.optim.Optimizer],
        *,
        every: int,
        outer_lr: float = 0.7,
        outer_momentum: float = 0.9,
        quorum: int | None = None,
        grace: float | None = None,
        keep: int | None = 2,
    ) -> None:
        if every < 1:
            raise ValueError(f"every is {every}: a round has at least one step.")
        self._parameters = {name: each for name, each in model.named_parameters() if each.requires_grad}
        self._inner, self._every = inner, every
        self._outer_lr, self._outer_momentum = outer_lr, outer_momentum
        self._keep = keep
        self.drain: Drain = on_drain()
        self._rounds = Rounds(quorum=quorum, grace=grace, going=lambda: not self.drain)
        self.unit = self._rounds.unit
        self.round = 0
        """Rounds that are complete."""
        self.records: list[Record] = []
        """Records of the rounds that this process has applied."""
        self._weights = {name: each.detach().to("cpu", copy=True) for name, each in self._parameters.items()}
        self._momentum = {name: torch.zeros_like(each) for name, each in self._weights.items()}
        self._restore()

    def rounds(self, count: int) -> Iterator[Round]:
        """Take part until so many rounds are complete; the model then has the shared weights.

        Leaves the program as drained if it is asked to.
        """
        if not self._rounds.ready():
            self.drain.exit()
        total = count
        while True:
            while (advance := self._rounds.advance(self.round, self._digest)) is not None:
                self._apply(advance, total)
            self.drain.exit_if_requested()
            self._load()
            if self.round >= total:
                checkpoint.wait()
                return
            position, digest = self.round, self._digest
            optimizer = self._inner(self._parameters.values())
            over = self._is_over(position, digest)
            current = Round(position + 1, self.unit, self._every, optimizer, over)
            yield current
            self.drain.exit_if_requested()
            if current.abandoned or over():
                continue
            if current.done != self._every:
                raise ValueError(
                    f"Round {current.number} had {current.done} steps of {self._every}: call step() after each."
                )
            changed = {name: each.detach().to("cpu") - self._weights[name] for name, each in self._parameters.items()}
            self._rounds.contribute(current.number, digest, pack(changed))
            self._wait(position, digest, total)

    def _is_over(self, position: int, digest: str) -> Callable[[], bool]:
        return lambda: bool(self.drain) or self._rounds.conclude(position, digest)

    def _wait(self, position: int, digest: str, total: int) -> None:
        saved = 0.0

        def waiting(seconds: float) -> None:
            nonlocal saved
            if seconds - saved >= SIGN_OF_LIFE:
                saved = seconds
                self._save(total)

        self._rounds.concluded(position, digest, waiting)

    def _apply(self, advance: Advance, total: int) -> None:
        if advance.state is not None:
            self._take(unpack(advance.state))
        means = mean_of(advance.contributions)
        for name, weight in self._weights.items():
            momentum = self._momentum[name].mul_(self._outer_momentum).add_(means[name])
            weight.add_(means[name].add(momentum, alpha=self._outer_momentum), alpha=self._outer_lr)
        self.round = advance.record.round
        self.records.append(advance.record)
        state = self._state()
        self._rounds.publish_state(self.round, state)
        self._digest = digest_of(state)
        self._save(total)
        units = ", ".join(str(unit) for unit in advance.record.units)
        print(f"round {self.round} of units {units}")  # noqa: T201
        flush_logs()

    def _state(self) -> bytes:
        weights = {f"weights.{name}": each for name, each in self._weights.items()}
        return pack(weights | {f"momentum.{name}": each for name, each in self._momentum.items()})

    def _take(self, state: dict[str, torch.Tensor]) -> None:
        self._weights = {name: state[f"weights.{name}"] for name in self._weights}
        self._momentum = {name: state[f"momentum.{name}"] for name in self._momentum}

    def _load(self) -> None:
        with torch.no_grad():
            for name, each in self._parameters.items():
                each.copy_(self._weights[name])

    def _save(self, total: int) -> None:
        newest = checkpoint.latest()
        number = 1 if newest is None else newest.step + 1
        state = {"round": self.round, "weights": self._weights, "momentum": self._momentum}
        progress = min(1.0, self.round / total)
        checkpoint.save(number, lambda path: write_state(path, state), progress, keep=self._keep)

    def _restore(self) -> None:
        newest = checkpoint.latest()
        if newest is not None:
            state: dict[str, Any] = read_state(newest.path)
            self.round, self._weights, self._momentum = state["round"], state["weights"], state["momentum"]
        self._digest = digest_of(self._state())
