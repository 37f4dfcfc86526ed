import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from drmp import CheckpointError, checkpoint


def content(text: str) -> Callable[[Path], object]:
    return lambda path: (path / "state").write_text(text)


def names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


def test_saved_then_found(tmp_path: Path) -> None:
    saved = checkpoint.save(500, content("a"), 0.25, directory=tmp_path)
    assert saved == checkpoint.latest(tmp_path)
    assert (saved.path.name, saved.progress) == ("checkpoint-000000500", 0.25)
    assert (saved.path / "state").read_text() == "a"
    assert json.loads((saved.path / "progress.json").read_text()) == {"progress": 0.25}


def test_nothing_yet(tmp_path: Path) -> None:
    assert checkpoint.latest(tmp_path) is None
    assert checkpoint.latest(tmp_path / "missing") is None


def test_the_newest_two_stay_unless_told_otherwise(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        checkpoint.save(step, content(str(step)), directory=tmp_path)
    assert [each.step for each in checkpoint.all_complete(tmp_path)] == [3, 2]
    checkpoint.save(4, content("4"), directory=tmp_path, keep=None)
    assert [each.step for each in checkpoint.all_complete(tmp_path)] == [4, 3, 2]


def test_one_of_the_same_number_is_replaced_whole(tmp_path: Path) -> None:
    checkpoint.save(1, content("old"), directory=tmp_path)
    checkpoint.save(1, lambda path: (path / "other").write_text("new"), directory=tmp_path)
    assert names(tmp_path) == ["checkpoint-000000001"]
    assert names(tmp_path / "checkpoint-000000001") == ["other"]


def test_numbers_grow(tmp_path: Path) -> None:
    checkpoint.save(7, content(""), directory=tmp_path)
    with pytest.raises(CheckpointError, match="Checkpoint 6 would be older than 7"):
        checkpoint.save(6, content(""), directory=tmp_path)


@pytest.mark.parametrize("step", [-1, 1_000_000_000, 1.5, True, "1"])
def test_a_number_that_no_checkpoint_can_have(step: int, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot have the number"):
        checkpoint.save(step, content(""), directory=tmp_path)


@pytest.mark.parametrize("progress", [-0.1, 1.1, float("nan")])
def test_progress_that_is_none(progress: float, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="not in 0 to 1"):
        checkpoint.save(1, content(""), progress, directory=tmp_path)
    assert names(tmp_path) == []


def test_a_failed_or_empty_write_leaves_nothing(tmp_path: Path) -> None:
    checkpoint.save(1, content("good"), directory=tmp_path)

    def full(path: Path) -> None:
        (path / "half").write_text("x")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        checkpoint.save(2, full, directory=tmp_path)
    with pytest.raises(CheckpointError, match="is empty"):
        checkpoint.save(2, lambda path: None, directory=tmp_path)
    assert names(tmp_path) == ["checkpoint-000000001"]


def test_what_is_no_checkpoint(tmp_path: Path) -> None:
    for name in ("checkpoint-5", "checkpoint-000000006.tmp", "ckpt-000000007", "checkpoint-0000000008"):
        (tmp_path / name).mkdir()
    (tmp_path / "checkpoint-000000009").symlink_to(tmp_path / "checkpoint-5")
    assert checkpoint.all_complete(tmp_path) == []
    (tmp_path / "checkpoint-000000004").write_text("a file is one, too")
    newest = checkpoint.latest(tmp_path)
    assert newest is not None
    assert (newest.step, newest.progress) == (4, None)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"progress": 2}', '{"progress": true}', '{"progress": "0.5"}', "x" * 5000]
)
def test_progress_that_makes_no_sense_is_none(text: str, tmp_path: Path) -> None:
    saved = checkpoint.save(1, content(""), 0.5, directory=tmp_path)
    (saved.path / "progress.json").write_text(text)
    newest = checkpoint.latest(tmp_path)
    assert newest is not None
    assert newest.progress is None


def test_in_the_background_training_goes_on(tmp_path: Path) -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(path: Path) -> None:
        begun.set()
        assert go.wait(10)
        (path / "state").write_text("a")

    saving = checkpoint.save_in_background(1, slow, 0.5, directory=tmp_path)
    assert begun.wait(10)
    assert not saving.done
    assert checkpoint.latest(tmp_path) is None
    go.set()
    checkpoint.wait()
    assert saving.done
    assert checkpoint.latest(tmp_path) == saving.wait()


def test_an_error_in_the_background_is_raised_by_the_next_save(tmp_path: Path) -> None:
    def fails(path: Path) -> None:
        raise OSError(28, "No space left on device")

    checkpoint.save_in_background(1, fails, directory=tmp_path)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(2, content("a"), directory=tmp_path)
    checkpoint.save(2, content("a"), directory=tmp_path)
    assert names(tmp_path) == ["checkpoint-000000002"]
