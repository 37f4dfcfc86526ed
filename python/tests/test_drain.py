import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import drmp

SOURCE = str(Path(__file__).parents[1] / "src")
PROGRAM = """
import time
import drmp
asked = []
drain = drmp.on_drain(lambda: asked.append("asked"))
print("ready")
while not drain:
    time.sleep(0.01)
drmp.checkpoint.save_in_background(1, lambda path: (time.sleep(0.2), (path / "state").write_text("a")))
print(*asked, "leaves", end="")
drain.exit()
"""


def start(program: str, directory: Path, *before: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*before, sys.executable, "-c", program],
        cwd=directory,
        env={"PYTHONPATH": SOURCE},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_sigterm_then_a_last_checkpoint_then_143(tmp_path: Path) -> None:
    child = start(PROGRAM, tmp_path)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGTERM)
    rest = child.stdout.read()
    assert child.wait(20) == 143
    assert rest == "asked leaves"
    newest = drmp.checkpoint.latest(tmp_path / "drmp-local" / "checkpoint")
    assert newest is not None
    assert newest.step == 1


def test_as_process_1(tmp_path: Path) -> None:
    unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    try:
        subprocess.run([*unshare, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine lets nobody make a process namespace")
    program = (
        "import os, threading, signal\n"
        "assert os.getpid() == 1\n"
        # From inside of its namespace: a signal that process 1 has no handler for is ignored.
        "threading.Thread(target=lambda: (os.fork() == 0 and (os.kill(1, signal.SIGTERM), os._exit(0)))).start()\n"
    )
    child = start(PROGRAM.replace('print("ready")', program), tmp_path, *unshare)
    assert child.stdout is not None
    assert child.stdout.read() == "asked leaves"
    assert child.wait(20) == 143


def test_only_the_main_thread_takes_signals() -> None:
    program = (
        "import threading, drmp\n"
        "def first():\n"
        "    try: drmp.on_drain()\n"
        "    except drmp.DrmpError as error: print(error)\n"
        "thread = threading.Thread(target=first); thread.start(); thread.join()\n"
    )
    child = start(program, Path.cwd())
    said, _ = child.communicate(timeout=20)
    assert "call it there, at the start" in said


def test_a_request_is_seen_once_and_by_callbacks_that_come_late() -> None:
    assert threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        seen: list[str] = []
        drain = drmp.on_drain(lambda: seen.append("first"))
        assert not drain
        drain.exit_if_requested()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert drmp.on_drain(lambda: seen.append("late")) is drain
        assert drain.requested
        assert seen == ["first", "late"]
        with pytest.raises(SystemExit) as left:
            drain.exit_if_requested()
        assert left.value.code == 143
    finally:
        signal.signal(signal.SIGTERM, before)
        drmp._drain._MAIN.clear()
