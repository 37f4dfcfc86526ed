"""The launcher's exit code, with a stand-in for PyTorch's launcher that ends as that one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

STAND_IN = """
import os, signal, sys, time

def leave(number, frame):
    # Not by print: the signal may come while it writes.
    os.write(1, b"its processes have ended\\n")
    sys.exit(1)

signal.signal(signal.SIGTERM, leave)
print("started", sys.argv[1:], flush=True)
if sys.argv[1] == "wait":
    time.sleep(60)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    package = tmp_path / "torch" / "distributed"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").write_text("")
    (package / "run.py").write_text(STAND_IN)
    source = Path(__file__).parent.parent / "src"
    return {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{source}"}


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "drmp.torchrun", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_told_to_leave_it_ends_as_drained(environment: dict[str, str]) -> None:
    with start(environment, "wait") as launcher:
        assert launcher.stdout is not None
        assert "started" in launcher.stdout.readline()
        launcher.send_signal(signal.SIGTERM)
        rest = launcher.stdout.read()
        assert launcher.wait(20) == 143
    assert "its processes have ended" in rest


@pytest.mark.parametrize("code", [0, 1, 3])
def test_else_it_ends_as_the_launcher(environment: dict[str, str], code: int) -> None:
    with start(environment, str(code), "--standalone") as launcher:
        output, _ = launcher.communicate(timeout=20)
        assert launcher.returncode == code
    assert f"['{code}', '--standalone']" in output
