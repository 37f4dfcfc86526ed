"""What examples/diloco.py comes to where nobody is disturbed: the same rounds in one process, and one machine alone.

Argument: JSON with the rounds' `members`, the local steps of a round, `every`, and the `units` of the task. Its
result goes where a unit's does.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

import diloco
import drmp
from drmp import Unit
from drmp.diloco import Round


def inner(model: torch.nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=2e-3)


def replayed(members: Sequence[Sequence[int]], every: int, units: int) -> dict[str, Any]:
    """Train the rounds with these members, by their definition: none of the package's exchange is used."""
    model = diloco.first_model()
    data, labels = diloco.points(4096, seed=1)
    weights = [each.detach().clone() for each in model.parameters()]
    momentum = [torch.zeros_like(each) for each in weights]
    for number, round_members in enumerate(members, start=1):
        sums = [torch.zeros_like(each) for each in weights]
        for index in round_members:
            load(model, weights)
            unit = Unit(1, index, units, 1, Path(), Path(), Path())
            diloco.train_round(Round(number, unit, every, inner(model), lambda: False), model, data, labels)
            for total, each, before in zip(sums, model.parameters(), weights, strict=True):
                total += each.detach() - before
        for weight, memory, total in zip(weights, momentum, sums, strict=True):
            mean = total / len(round_members)
            memory.mul_(diloco.OUTER_MOMENTUM).add_(mean)
            weight.add_(mean.add(memory, alpha=diloco.OUTER_MOMENTUM), alpha=diloco.OUTER_LR)
    load(model, weights)
    return diloco.result_of(model)


def alone(rounds: int, every: int, units: int) -> dict[str, Any]:
    """Train one model on one machine, step by step, with the batches of all units and rounds."""
    model = diloco.first_model()
    data, labels = diloco.points(4096, seed=1)
    optimizer = inner(model)
    for number in range(1, rounds + 1):
        dealt = [diloco.batches(number, unit, data) for unit in range(units)]
        for _ in range(every):
            for each in dealt:
                batch = next(each)
                optimizer.zero_grad()
                diloco.loss_of(model, data[batch], labels[batch]).backward()
                optimizer.step()
    return diloco.result_of(model)


def load(model: torch.nn.Module, weights: Sequence[torch.Tensor]) -> None:
    with torch.no_grad():
        for each, weight in zip(model.parameters(), weights, strict=True):
            each.copy_(weight)


def main() -> None:
    told = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    members, every, units = told["members"], told["every"], told["units"]
    result = {"replayed": replayed(members, every, units), "alone": alone(len(members), every, units)}
    (drmp.unit().output_dir / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
