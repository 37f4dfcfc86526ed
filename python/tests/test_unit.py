from pathlib import Path

import pytest

import drmp

FULL = {
    "DRMP_TASK_ID": "12",
    "DRMP_UNIT_INDEX": "3",
    "DRMP_UNIT_COUNT": "4",
    "DRMP_ATTEMPT": "2",
    "DRMP_CHECKPOINT_DIR": "/drmp/checkpoint",
    "DRMP_INPUT_DIR": "/drmp/input",
    "DRMP_OUTPUT_DIR": "/drmp/output",
}


def test_the_agents_variables() -> None:
    unit = drmp.unit(FULL)
    assert (unit.task_id, unit.index, unit.count, unit.attempt) == (12, 3, 4, 2)
    assert [str(each) for each in (unit.checkpoint_dir, unit.input_dir, unit.output_dir)] == [
        "/drmp/checkpoint",
        "/drmp/input",
        "/drmp/output",
    ]


@pytest.mark.parametrize("missing", list(FULL))
def test_a_missing_variable_is_named(missing: str) -> None:
    with pytest.raises(drmp.EnvironmentInvalidError, match=f"{missing} is not set"):
        drmp.unit({name: value for name, value in FULL.items() if name != missing})


@pytest.mark.parametrize("value", ["-1", "1.5", "x", "1e3", "9" * 16, "٣"])
def test_a_number_that_is_none(value: str) -> None:
    with pytest.raises(drmp.EnvironmentInvalidError, match=r"DRMP_ATTEMPT is .* whole number"):
        drmp.unit({**FULL, "DRMP_ATTEMPT": value})


def test_an_index_beyond_the_count() -> None:
    with pytest.raises(drmp.EnvironmentInvalidError, match="DRMP_UNIT_INDEX is 4, but DRMP_UNIT_COUNT is 4"):
        drmp.unit({**FULL, "DRMP_UNIT_INDEX": "4"})


def test_without_an_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    unit = drmp.unit({"PATH": "/bin"})
    assert (unit.index, unit.count, unit.attempt) == (0, 1, 1)
    assert unit.checkpoint_dir == tmp_path / "drmp-local" / "checkpoint"
    assert all(each.is_dir() for each in (unit.checkpoint_dir, unit.input_dir, unit.output_dir))
