import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import drmp
from drmp import CheckpointError, checkpoint

FULL = {
    "DRMP_TASK_ID": "12",
    "DRMP_UNIT_INDEX": "0",
    "DRMP_UNIT_COUNT": "1",
    "DRMP_ATTEMPT": "1",
    "DRMP_INPUT_DIR": "/drmp/input",
    "DRMP_OUTPUT_DIR": "/drmp/output",
}


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Start this program as an agent would."""

    def start(**more: str) -> Path:
        for name, value in {**FULL, "DRMP_CHECKPOINT_DIR": str(tmp_path), **more}.items():
            monkeypatch.setenv(name, value)
        return tmp_path

    return start


def content(path: Path) -> None:
    (path / "state").write_text("a")


def test_the_agent_says_when_and_where_to_stop(told: Callable[..., Path]) -> None:
    told(DRMP_CHECKPOINT_STEPS="50", DRMP_STOP_AT="120")
    assert (drmp.unit().checkpoint_steps, drmp.unit().stop_at) == (50, 120)
    assert [step for step in range(130) if checkpoint.due(step, 7)] == [50, 100, 120]
    assert [step for step in range(118, 123) if checkpoint.stops(step)] == [120, 121, 122]


def test_where_the_agent_does_not_say(told: Callable[..., Path]) -> None:
    told()
    assert [step for step in range(20) if checkpoint.due(step, 7)] == [7, 14]
    assert not any(checkpoint.due(step) or checkpoint.stops(step) for step in range(20))


@pytest.mark.parametrize("name", ["DRMP_CHECKPOINT_STEPS", "DRMP_STOP_AT"])
def test_steps_that_are_none(name: str, told: Callable[..., Path]) -> None:
    told(**{name: "soon"})
    with pytest.raises(drmp.EnvironmentInvalidError, match=f'{name} is "soon"'):
        drmp.unit()


def test_what_was_not_noted_stays_and_the_program_waits(told: Callable[..., Path]) -> None:
    directory = told(DRMP_CHECKPOINT_STEPS="1")
    for step in range(1, 9):
        checkpoint.save(step, content)
    assert len(checkpoint.all_complete()) == 8
    noted = threading.Timer(0.2, lambda: (directory / ".noted").write_text("5\n"))
    noted.start()
    begun = time.monotonic()
    checkpoint.save(9, content)
    assert time.monotonic() - begun > 0.1
    assert [each.step for each in checkpoint.all_complete()] == [9, 8, 7, 6]
    # Elsewhere nobody takes note.
    for step in (1, 2, 3):
        checkpoint.save(step, content, directory=directory / "mine")
    assert [each.step for each in checkpoint.all_complete(directory / "mine")] == [3, 2]


def test_an_agent_that_takes_no_note_is_not_waited_for_for_ever(
    told: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    told(DRMP_CHECKPOINT_STEPS="1")
    monkeypatch.setattr(checkpoint, "_NOTED_SECONDS", 0.05)
    for step in range(1, 9):
        checkpoint.save(step, content)
    with pytest.raises(CheckpointError, match="8 wait for it"):
        checkpoint.save(9, content)


def test_leaving_at_the_step_to_stop_at(told: Callable[..., Path]) -> None:
    directory = told()
    program = (
        "import drmp\n"
        "drain = drmp.on_drain()\n"
        "for step in range(1, 10):\n"
        "    if drain or drmp.checkpoint.due(step, every=4):\n"
        "        drmp.checkpoint.save(step, lambda path: (path / 'state').write_text(str(step)))\n"
        "    drain.exit_if_requested(step)\n"
    )
    source = str(Path(__file__).parents[1] / "src")
    env = {**FULL, "PYTHONPATH": source, "DRMP_CHECKPOINT_DIR": str(directory), "DRMP_STOP_AT": "6"}
    assert subprocess.run([sys.executable, "-c", program], env=env, check=False).returncode == 143
    assert [each.step for each in checkpoint.all_complete()] == [6, 4]
