"""`torchrun` that leaves as the workload contract asks: with exit code 143 after SIGTERM.

    python3 -m drmp.torchrun --standalone --nproc-per-node 2 train.py

PyTorch's own launcher hands SIGTERM to its processes and waits for them, but then ends with code 1, as if the unit had
failed. This one ends with 143 where SIGTERM has come and the launcher did not end with 0. Arguments are those of
`torchrun`.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from types import FrameType

from ._drain import DRAINED
from ._logs import flush_logs

LAUNCHER = "torch.distributed.run"
"""The module that `torchrun` runs."""


def run(arguments: list[str]) -> int:
    """Run the launcher to its end.

    Returns:
        Its exit code, or 143 if SIGTERM came meanwhile and it did not end well.
    """
    asked = False
    child: subprocess.Popen[bytes] | None = None

    def leave(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        if child is not None and child.poll() is None:
            child.send_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        child = subprocess.Popen([sys.executable, "-m", LAUNCHER, *arguments])  # noqa: S603
        if asked:
            # It came while the launcher was being started.
            child.send_signal(signal.SIGTERM)
        code = child.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
        flush_logs()
    if asked and code != 0:
        return DRAINED
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
