"""One model on many machines: the units of a task train one classifier with DiLoCo.

Arguments: --rounds, --every (local steps of a round), --pace (pause after each step, milliseconds).
"""

import argparse
import hashlib
import json
import time

import torch

import drmp
from drmp.diloco import DiLoCo


def points(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return points in eight clouds, and which cloud each is of."""
    centres = torch.randn(8, 16, generator=torch.Generator().manual_seed(7))
    made = torch.Generator().manual_seed(seed)
    labels = torch.randint(8, (count,), generator=made)
    return centres[labels] + 1.2 * torch.randn(count, 16, generator=made), labels


def main() -> None:
    """Train, or go on training."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--pace", type=float, default=0)
    told = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(0)  # the same first weights on all units
    model = torch.nn.Sequential(torch.nn.Linear(16, 64), torch.nn.ReLU(), torch.nn.Linear(64, 8))
    data, labels = points(4096, seed=1)
    trainer = DiLoCo(
        model,
        lambda parameters: torch.optim.AdamW(parameters, lr=2e-3),
        every=told.every,
        outer_momentum=0.5,
    )
    for current in trainer.rounds(told.rounds):
        # Batches follow from the round and the unit: what a unit contributes is the same however often it is trained.
        shuffle = torch.Generator().manual_seed(1000 * current.number + current.unit.index)
        while True:
            batch = torch.randint(len(data), (32,), generator=shuffle)
            loss = torch.nn.functional.cross_entropy(model(data[batch]), labels[batch])
            current.optimizer.zero_grad()
            loss.backward()
            current.optimizer.step()
            time.sleep(told.pace / 1000)
            print(f"step {current.done + 1} of round {current.number} loss {loss.item():.4f}")
            if not current.step():
                break

    test, answers = points(1024, seed=2)
    with torch.no_grad():
        accuracy = (model(test).argmax(1) == answers).float().mean().item()
    weights = b"".join(each.detach().numpy().tobytes() for each in model.parameters())
    result = {"rounds": trainer.round, "accuracy": accuracy, "sha256": hashlib.sha256(weights).hexdigest()}
    (drmp.unit().output_dir / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
