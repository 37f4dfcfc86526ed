"""`transformers.Trainer`: a small GPT-2 that learns to write like Python's own help, one byte at a time.

Arguments: --steps, --every (steps from checkpoint to checkpoint), --pace (pause after each step, milliseconds).
"""

import argparse
import hashlib
import json
import pydoc_data.topics
import time
from typing import Any

import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments

import drmp
import drmp.transformers

LENGTH = 64


class Help(Dataset[dict[str, torch.Tensor]]):
    """Pieces of Python's help, as bytes."""

    def __init__(self, pieces: int) -> None:
        text = "\n".join(pydoc_data.topics.topics[name] for name in sorted(pydoc_data.topics.topics)).encode()
        self.bytes = torch.frombuffer(bytearray(text[: pieces * LENGTH]), dtype=torch.uint8).long().view(-1, LENGTH)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.bytes)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Return one."""
        return {"input_ids": self.bytes[index], "labels": self.bytes[index]}


class Pace(TrainerCallback):
    """Shows each step, and pauses after it."""

    def __init__(self, milliseconds: float) -> None:
        self.seconds = milliseconds / 1000

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Show the step."""
        print(f"step {state.global_step}")
        time.sleep(self.seconds)


def main() -> None:
    """Train, or go on training."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--pace", type=float, default=0)
    told = parser.parse_args()

    unit = drmp.unit()
    torch.set_num_threads(1)
    torch.manual_seed(unit.index)
    config = GPT2Config(
        vocab_size=256, n_positions=LENGTH, n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
    )
    model = GPT2LMHeadModel(config)
    model.transformer.wpe.requires_grad_(False)
    arguments = TrainingArguments(
        output_dir=drmp.transformers.output_dir(),
        max_steps=told.steps,
        save_steps=told.every,
        per_device_train_batch_size=8,
        seed=unit.index,
        use_cpu=not torch.cuda.is_available(),
        report_to=[],
        disable_tqdm=True,
        logging_steps=told.every,
        dataloader_pin_memory=False,
    )
    trainer = Trainer(
        model, arguments, train_dataset=Help(160), callbacks=[drmp.transformers.DrmpCallback(), Pace(told.pace)]
    )
    newest = drmp.transformers.latest()
    print(f"starts from {newest}")
    trainer.train(resume_from_checkpoint=newest)

    weights = b"".join(each.detach().cpu().numpy().tobytes() for each in model.parameters())
    result = {"steps": trainer.state.global_step, "sha256": hashlib.sha256(weights).hexdigest()}
    (unit.output_dir / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
