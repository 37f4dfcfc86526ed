"""Each example has the same weights to the bit, however often it was killed or drained on its way."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

HOME = Path(__file__).parents[2]
SEED = int(os.environ.get("DRMP_TEST_SEED", random.randrange(1_000_000)))
STOPS = 3
TORCHRUN = ["-m", "drmp.torchrun", "--standalone", "--local-addr", "127.0.0.1", "--nproc-per-node", "2"]


class Run:
    """A unit of an example, started as often as it takes."""

    def __init__(self, example: str, arguments: list[str], directory: Path) -> None:
        self.directory = directory
        self.attempts = 0
        self.lines: list[str] = []
        launcher = TORCHRUN if example == "ddp" else []
        self._command = [sys.executable, *launcher, str(HOME / "examples" / f"{example}.py"), *arguments]
        self._directories = {name: directory / name for name in ("checkpoint", "input", "output")}
        for each in self._directories.values():
            each.mkdir(parents=True)

    def start(self, stop_at: int | None, number: int) -> int:
        """Run until the end, or until so many steps were shown. @returns the exit code."""
        self.attempts += 1
        child = subprocess.Popen(
            self._command,
            cwd=self.directory,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.directory),
                "PYTHONPATH": str(HOME / "src"),
                "DRMP_TASK_ID": "1",
                "DRMP_UNIT_INDEX": "0",
                "DRMP_UNIT_COUNT": "1",
                "DRMP_ATTEMPT": str(self.attempts),
                **{
                    f"DRMP_{name.upper()}_DIR": str(self.directory / name) for name in ("checkpoint", "input", "output")
                },
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert child.stdout is not None
        shown = 0
        self.lines = lines = []
        for line in child.stdout:
            lines.append(line)
            shown += line.startswith("step ")
            if shown == stop_at and line.startswith("step "):
                # SIGKILL ends all processes of a unit, as its container does; SIGTERM comes to the first alone.
                if number == signal.SIGKILL:
                    kill_all(child.pid)
                else:
                    child.send_signal(number)
        code = child.wait(60)
        expected = {0} if stop_at is None else {0, 143 if number == signal.SIGTERM else -number}
        assert code in expected, "".join(lines[-40:])
        return code

    def result(self) -> dict[str, object]:
        """Return what the example has written at its end."""
        content: dict[str, object] = json.loads((self.directory / "output" / "result.json").read_text())
        return content


def kill_all(root: int) -> None:
    """Kill a process and all that it has started: a launcher's processes are in sessions of their own."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The second field is a name in brackets, which may have any character.
            fields = entry.read_text(errors="replace").rpartition(")")[2].split()
            parents[int(entry.parent.name)] = int(fields[1])
    doomed = {root}
    while more := {child for child, parent in parents.items() if parent in doomed} - doomed:
        doomed |= more
    for each in doomed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


@pytest.mark.parametrize(
    ("example", "needs", "arguments"),
    [
        ("plain_pytorch", "torch", []),
        ("with_transformers", "transformers", []),
        ("with_lightning", "lightning", []),
        ("ddp", "torch", []),
    ],
)
def test_resumed_with_the_same_bits(example: str, needs: str, arguments: list[str], tmp_path: Path) -> None:
    pytest.importorskip(needs)
    print(f"seed {SEED}: set DRMP_TEST_SEED to repeat it")
    choose = random.Random(f"{SEED} {example}")
    alone = Run(example, arguments, tmp_path / "alone")
    assert alone.start(None, 0) == 0
    steps = int(str(alone.result()["steps"]))

    # A launcher takes a while to hand a signal on: its run has to last longer.
    pace = "300" if example == "ddp" else "20"
    stopped = Run(example, [*arguments, "--pace", pace], tmp_path / "stopped")
    signals = [signal.SIGKILL, signal.SIGTERM, choose.choice([signal.SIGKILL, signal.SIGTERM])]
    for number in signals[:STOPS]:
        stop_at = choose.randint(1, steps // STOPS)
        code = stopped.start(stop_at, number)
        print(f"{example}: stopped after {stop_at} steps by {number.name}, exit code {code}")
        assert code != 0, "".join(stopped.lines[-40:])
    assert stopped.start(None, 0) == 0
    assert stopped.result() == alone.result()


@pytest.mark.parametrize(
    ("example", "needs", "every", "stop_at"),
    [
        ("plain_pytorch", "torch", 32, 50),
        ("with_transformers", "transformers", 20, 31),
        ("with_lightning", "lightning", 20, 30),
    ],
)
def test_resumed_from_the_end_of_an_epoch(example: str, needs: str, every: int, stop_at: int, tmp_path: Path) -> None:
    pytest.importorskip(needs)
    arguments = ["--every", str(every)]
    alone = Run(example, arguments, tmp_path / "alone")
    alone.start(None, 0)
    stopped = Run(example, [*arguments, "--pace", "20"], tmp_path / "stopped")
    assert stopped.start(stop_at, signal.SIGKILL) != 0
    stopped.start(None, 0)
    assert stopped.result() == alone.result()
