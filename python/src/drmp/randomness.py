"""The states of all random generators that a training program commonly uses."""

from __future__ import annotations

import importlib
import random
import sys
from typing import Any


def capture() -> dict[str, Any]:
    """Return the states of Python's, NumPy's and PyTorch's generators, the latter two if they are loaded."""
    states: dict[str, Any] = {"python": random.getstate()}
    if (numpy := sys.modules.get("numpy")) is not None:
        kind, keys, *rest = numpy.random.get_state(legacy=True)
        states["numpy"] = (kind, keys.tolist(), *rest)
    if (torch := sys.modules.get("torch")) is not None and hasattr(torch, "get_rng_state"):
        states["torch"] = torch.get_rng_state()
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            states["cuda"] = torch.cuda.get_rng_state_all()
    return states


def restore(states: dict[str, Any]) -> None:
    """Set the states that `capture` has returned.

    States of GPUs are set on as many GPUs as there are; a unit that goes on with fewer cannot repeat the same bits.
    """
    random.setstate(states["python"])
    if "numpy" in states:
        importlib.import_module("numpy").random.set_state(states["numpy"])
    if "torch" in states:
        torch = importlib.import_module("torch")
        torch.set_rng_state(states["torch"].cpu())
        if "cuda" in states and torch.cuda.is_available():
            for device, state in enumerate(states["cuda"][: torch.cuda.device_count()]):
                torch.cuda.set_rng_state(state.cpu(), device)
