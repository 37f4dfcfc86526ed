"""Lightning: a small network with dropout and validation learns to tell clouds of points apart.

Arguments: --epochs, --every (steps from checkpoint to checkpoint), --pace (pause after each step, milliseconds).
"""

import argparse
import hashlib
import json
import time
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from torch.utils.data import DataLoader, TensorDataset

import drmp
import drmp.lightning
import drmp.torch


class Clouds(LightningModule):
    """The network."""

    def __init__(self, pace: float) -> None:
        super().__init__()
        self.seconds = pace / 1000
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(16, 64), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(64, 4)
        )
        self.layers[0].requires_grad_(False)

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        """Return the loss of a batch."""
        print(f"step {self.global_step + 1}")
        time.sleep(self.seconds)
        return self._loss(batch)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Note the loss of a batch."""
        self.log("loss", self._loss(batch))

    def configure_optimizers(self) -> Any:
        """Return optimiser and schedule."""
        optimizer = torch.optim.AdamW(self.layers[3].parameters(), lr=1e-2)
        return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)]

    def _loss(self, batch: Any) -> torch.Tensor:
        points, labels = batch
        return torch.nn.functional.cross_entropy(self.layers(points), labels)


def points(count: int, seed: int) -> TensorDataset:
    """Return points in four clouds."""
    made = torch.Generator().manual_seed(7)
    centres = torch.randn(4, 16, generator=made)
    made.manual_seed(seed)
    labels = torch.randint(4, (count,), generator=made)
    return TensorDataset(centres[labels] + 0.7 * torch.randn(count, 16, generator=made), labels)


def main() -> None:
    """Train, or go on training."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--every", type=int, default=7)
    parser.add_argument("--pace", type=float, default=0)
    told = parser.parse_args()

    unit = drmp.unit()
    torch.set_num_threads(1)
    seed_everything(unit.index, verbose=False)
    module = Clouds(told.pace)
    trainer = Trainer(
        max_epochs=told.epochs,
        accelerator="auto",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[drmp.lightning.DrmpCheckpoint(told.every)],
        plugins=[drmp.lightning.BlockCheckpointIO()],
    )
    training = drmp.torch.Loader(DataLoader(points(320, 1), batch_size=16, shuffle=True))
    validation = DataLoader(points(64, 2), batch_size=32)
    newest = drmp.lightning.latest()
    print(f"starts from {newest}")
    trainer.fit(module, training, validation, ckpt_path=newest)

    weights = b"".join(each.detach().cpu().numpy().tobytes() for each in module.parameters())
    result = {"steps": trainer.global_step, "sha256": hashlib.sha256(weights).hexdigest()}
    (unit.output_dir / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
