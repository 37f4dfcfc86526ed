"""Plain PyTorch: a classifier with a frozen first layer, dropout, augmentation, a schedule, and data in epochs.

Arguments: --epochs, --every (steps from checkpoint to checkpoint), --pace (pause after each step, milliseconds).
"""

import argparse
import hashlib
import json
import random
import time

import torch
from torch.utils.data import DataLoader, Dataset

import drmp
import drmp.torch


class Points(Dataset[tuple[torch.Tensor, int]]):
    """Points in four clouds, moved a little at each look."""

    def __init__(self, count: int) -> None:
        made = torch.Generator().manual_seed(7)
        self.labels = torch.randint(4, (count,), generator=made)
        centres = torch.randn(4, 16, generator=made)
        self.points = centres[self.labels] + 0.7 * torch.randn(count, 16, generator=made)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        """Return one, moved by noise from Python's own generator."""
        return self.points[index] + random.gauss(0, 0.05), int(self.labels[index])


def main() -> None:
    """Train, or go on training."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--pace", type=float, default=0)
    told = parser.parse_args()

    unit = drmp.unit()
    drain = drmp.on_drain()
    torch.set_num_threads(1)
    torch.manual_seed(unit.index)
    random.seed(unit.index)
    model = torch.nn.Sequential(torch.nn.Linear(16, 64), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(64, 4))
    model[0].requires_grad_(False)
    trained = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=200)
    loader = drmp.torch.Loader(DataLoader(Points(512), batch_size=16, shuffle=True))
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule, "loader": loader}
    frozen = drmp.torch.frozen_names(model)

    step = 0
    newest = drmp.torch.load_latest()
    if newest is not None:
        step, state = newest
        for name, part in parts.items():
            part.load_state_dict(state[name])
        drain.exit_if_requested(step)
    steps = told.epochs * len(loader)
    print(f"starts at step {step} of {steps}")

    loss = torch.tensor(float("nan"))
    while loader.epoch < told.epochs:
        for points, labels in loader:
            loss = torch.nn.functional.cross_entropy(model(points), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            print(f"step {step} loss {loss.item():.4f}")
            if drain or drmp.checkpoint.due(step, told.every):
                state = {name: part.state_dict() for name, part in parts.items()}
                drmp.torch.save(step, state, step / steps, frozen=frozen)
            drain.exit_if_requested(step)
            time.sleep(told.pace / 1000)
    drmp.checkpoint.wait()

    weights = b"".join(each.detach().numpy().tobytes() for each in model.parameters())
    result = {"steps": step, "sha256": hashlib.sha256(weights).hexdigest()}
    (unit.output_dir / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
