"""Logistic regression in plain Python, with nothing but the standard library: a first script for `drmp run`.

    drmp run python/examples/plain_python.py --data points.csv --class cpu/eu --units 1 --max-price 0.02

Each line of the data is a label, 0 or 1, and numbers. The weights after the last epoch are the result; a unit that was
stopped goes on from its newest checkpoint, to the same bits.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import random
import time
from pathlib import Path

import drmp

EPOCHS = 20
RATE = 0.1


def read(path: Path) -> list[tuple[int, list[float]]]:
    """Read labels and numbers, from one file or all of a folder."""
    files = [path] if path.is_file() else sorted(path.glob("*.csv"))
    rows = [row for file in files for row in csv.reader(file.read_text().splitlines())]
    return [(int(row[0]), [1.0, *map(float, row[1:])]) for row in rows]


def probability(weights: list[float], numbers: list[float]) -> float:
    """Return how likely label 1 is."""
    return 1 / (1 + math.exp(-sum(w * x for w, x in zip(weights, numbers, strict=True))))


def save(epoch: int, weights: list[float]) -> None:
    """Write a checkpoint."""

    def write(path: Path) -> None:
        (path / "weights.json").write_text(json.dumps(weights))

    drmp.checkpoint.save(epoch, write, progress=epoch / EPOCHS)


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pace", type=float, default=0, help="pause after each epoch, seconds")
    told = parser.parse_args()
    unit = drmp.unit()
    drain = drmp.on_drain()
    samples = read(unit.input_dir / "data")
    weights = [0.0] * len(samples[0][1])
    start = 0
    newest = drmp.checkpoint.latest()
    if newest is not None:
        start = newest.step
        weights = json.loads((newest.path / "weights.json").read_text())
        print(f"going on after epoch {start}")
        drain.exit_if_requested(start)
    for epoch in range(start, EPOCHS):
        order = random.Random(epoch).sample(samples, len(samples))
        loss = 0.0
        for label, numbers in order:
            likely = probability(weights, numbers)
            loss -= math.log(max(1e-12, likely if label else 1 - likely))
            weights = [w + RATE * (label - likely) * x for w, x in zip(weights, numbers, strict=True)]
        done = epoch + 1
        print(f"epoch {done}: loss {loss / len(samples):.4f}")
        save(done, weights)
        drain.exit_if_requested(done)
        time.sleep(told.pace)
    right = sum((probability(weights, numbers) > 0.5) == bool(label) for label, numbers in samples)
    result = {"accuracy": right / len(samples), "weights": weights}
    (unit.output_dir / "result.json").write_text(json.dumps(result))
    print(f"accuracy {result['accuracy']:.3f}")


if __name__ == "__main__":
    main()
