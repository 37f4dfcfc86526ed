"""One model on many machines: the units of a task train one classifier with DiLoCo.

    drmp run python/examples/diloco.py --units 4 --exchange 1 --quorum 2 --class cpu/eu --max-price 0.02

Arguments: --rounds, --every (local steps of a round), --pace (pause after each step, milliseconds).
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterator

import torch

import drmp
from drmp.diloco import DiLoCo, Round

OUTER_LR, OUTER_MOMENTUM = 0.7, 0.5


def points(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return points in eight clouds, and which cloud each is of."""
    centres = torch.randn(8, 16, generator=torch.Generator().manual_seed(7))
    made = torch.Generator().manual_seed(seed)
    labels = torch.randint(8, (count,), generator=made)
    return centres[labels] + 1.2 * torch.randn(count, 16, generator=made), labels


def first_model() -> torch.nn.Module:
    """Return the model before its training, the same on all units."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(16, 64), torch.nn.ReLU(), torch.nn.Linear(64, 8))


def batches(number: int, unit: int, data: torch.Tensor) -> Iterator[torch.Tensor]:
    """Deal out batches by round and unit: what a unit contributes is the same however often it is trained."""
    shuffle = torch.Generator().manual_seed(1000 * number + unit)
    while True:
        yield torch.randint(len(data), (32,), generator=shuffle)


def loss_of(model: torch.nn.Module, data: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean loss over a batch."""
    return torch.nn.functional.cross_entropy(model(data), labels)


def train_round(
    current: Round, model: torch.nn.Module, data: torch.Tensor, labels: torch.Tensor, pace: float = 0
) -> None:
    """Take the local steps of a round."""
    for batch in batches(current.number, current.unit.index, data):
        loss = loss_of(model, data[batch], labels[batch])
        current.optimizer.zero_grad()
        loss.backward()
        current.optimizer.step()
        if pace > 0:
            time.sleep(pace / 1000)
            print(f"step {current.done + 1} of round {current.number} loss {loss.item():.4f}")
        if not current.step():
            return


def result_of(model: torch.nn.Module) -> dict[str, object]:
    """Return the accuracy on points that it was not trained with, and the SHA-256 of its weights."""
    test, answers = points(4096, seed=2)
    with torch.no_grad():
        accuracy = (model(test).argmax(1) == answers).float().mean().item()
    weights = b"".join(each.detach().numpy().tobytes() for each in model.parameters())
    return {"accuracy": accuracy, "sha256": hashlib.sha256(weights).hexdigest()}


def main() -> None:
    """Train, or go on training."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--pace", type=float, default=0)
    told = parser.parse_args()

    torch.set_num_threads(1)
    model = first_model()
    data, labels = points(4096, seed=1)
    trainer = DiLoCo(
        model,
        lambda parameters: torch.optim.AdamW(parameters, lr=2e-3),
        every=told.every,
        outer_lr=OUTER_LR,
        outer_momentum=OUTER_MOMENTUM,
    )
    for current in trainer.rounds(told.rounds):
        train_round(current, model, data, labels, told.pace)
    result = {"rounds": trainer.round, **result_of(model)}
    (drmp.unit().output_dir / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
