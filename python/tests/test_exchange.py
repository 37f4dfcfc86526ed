"""Rounds between units whose files are carried from directory to directory, as agents do."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from carrier import carry, carrying
from drmp import EnvironmentInvalidError, ExchangeError, Unit, unit
from drmp.exchange import NO_STATE, Advance, Rounds, digest_of


def make(root: Path, count: int, **changes: object) -> list[Unit]:
    units = []
    for index in range(count):
        directory = root / str(index)
        for name in ("in", "out"):
            (directory / "exchange" / name).mkdir(parents=True)
        (directory / "exchange" / "in" / "ready").touch()
        told = {"exchange_dir": directory / "exchange", "exchange_quorum": 1, "exchange_grace": 0.0, **changes}
        units.append(Unit(1, index, count, 1, directory, directory, directory, **told))  # type: ignore[arg-type]
    return units


def taken(advance: Advance | None) -> Advance:
    assert advance is not None
    return advance


def test_all_units_take_exactly_what_the_record_names(tmp_path: Path) -> None:
    units = make(tmp_path, 3, exchange_grace=60.0)
    first, second, third = (Rounds(each) for each in units)
    before = digest_of(b"state 0")
    for number, rounds in enumerate((first, second, third)):
        assert rounds.ready()
        assert not first.conclude(0, before)
        rounds.contribute(1, before, bytes([number]))
        carry(units)
    assert first.conclude(0, before)
    carry(units)
    record = first.record(1)
    assert record is not None
    assert record.units == (0, 1, 2)
    for rounds in (first, second, third):
        advance = taken(rounds.advance(0, before))
        assert (advance.record, advance.state, advance.contributions) == (record, None, (b"\0", b"\1", b"\2"))
        assert rounds.advance(1, "anything") is None


def test_who_is_missing_is_waited_for_only_once(tmp_path: Path) -> None:
    units = make(tmp_path, 3, exchange_quorum=2, exchange_grace=0.3)
    first, second, _ = (Rounds(each) for each in units)
    digests = [digest_of(bytes([number])) for number in range(3)]
    first.contribute(1, digests[0], b"a")
    assert not first.conclude(0, digests[0])
    second.contribute(1, digests[0], b"b")
    carry(units)
    assert not first.conclude(0, digests[0])  # the grace has begun
    assert first.concluded(0, digests[0])
    first.contribute(2, digests[1], b"c")
    second.contribute(2, digests[1], b"d")
    carry(units)
    assert first.conclude(1, digests[1])  # at once: unit 2 was away in round 1


def test_a_contribution_from_another_state_does_not_count(tmp_path: Path) -> None:
    units = make(tmp_path, 2)
    first, second = (Rounds(each) for each in units)
    second.contribute(1, digest_of(b"other"), b"b")
    carry(units)
    assert not first.conclude(0, digest_of(b"mine"))
    first.contribute(1, digest_of(b"mine"), b"a")
    assert first.conclude(0, digest_of(b"mine"))
    record = first.record(1)
    assert record is not None
    assert record.units == (0,)


def test_a_unit_that_was_away_goes_on_from_the_newest_record(tmp_path: Path) -> None:
    units = make(tmp_path, 2)
    first, second = (Rounds(each) for each in units)
    states = [f"state {number}".encode() for number in range(7)]
    for number in range(1, 7):
        first.contribute(number, digest_of(states[number - 1]), f"delta {number}".encode())
        assert first.conclude(number - 1, digest_of(states[number - 1]))
        first.publish_state(number, states[number])
    assert len(list((tmp_path / "0" / "exchange" / "out").glob("delta-*"))) == 4
    with carrying(units):
        carry(units)
        advance = taken(second.advance(0, digest_of(states[0])))
    assert (advance.record.round, advance.state, advance.contributions) == (6, states[5], (b"delta 6",))
    assert not list((tmp_path / "1" / "exchange" / "out").iterdir())  # it asks for nothing else


def test_a_record_under_a_later_fence_wins(tmp_path: Path) -> None:
    units = make(tmp_path, 2)
    _, second = (Rounds(each) for each in units)
    for fence, base in ((1, "a" * 64), (10, "b" * 64), (9, "c" * 64)):
        record = {"round": 1, "before": base, "members": [{"unit": 0, "sha256": "d" * 64}]}
        held = tmp_path / "1" / "exchange" / "in" / "record-000000001" / f"0.{fence}.x"
        held.parent.mkdir(exist_ok=True)
        held.write_text(json.dumps(record))
    newest = second.record(1)
    assert newest is not None
    assert newest.before == "b" * 64


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.update(round=2),
        lambda record: record.update(before="x"),
        lambda record: record.update(members=[]),
        lambda record: record["members"].reverse(),
        lambda record: record["members"][1].update(unit=2),
        lambda record: record["members"][0].update(sha256="0"),
        lambda record: record.pop("members"),
    ],
)
def test_a_record_that_makes_no_sense_is_refused(change: Callable[[dict[str, object]], object], tmp_path: Path) -> None:
    units = make(tmp_path, 2)
    members = [{"unit": 0, "sha256": "d" * 64}, {"unit": 1, "sha256": "e" * 64}]
    record: dict[str, object] = {"round": 1, "before": NO_STATE, "members": members}
    change(record)
    (tmp_path / "0" / "exchange" / "out" / "record-000000001").write_text(json.dumps(record))
    with pytest.raises(ExchangeError, match="round 1"):
        Rounds(units[0]).record(1)


def test_every_wait_ends_when_the_program_is_to(tmp_path: Path) -> None:
    units = make(tmp_path, 2, exchange_quorum=2)
    first = Rounds(units[0], going=lambda: False)
    first.contribute(1, NO_STATE, b"a")
    assert not first.concluded(0, NO_STATE)
    (tmp_path / "0" / "exchange" / "in" / "ready").unlink()
    assert not first.ready()


def test_a_unit_without_an_exchange_is_alone_or_told(tmp_path: Path) -> None:
    told = {f"DRMP_{name}_DIR": str(tmp_path) for name in ("CHECKPOINT", "INPUT", "OUTPUT")}
    numbers = {"DRMP_TASK_ID": "1", "DRMP_UNIT_INDEX": "0", "DRMP_UNIT_COUNT": "1", "DRMP_ATTEMPT": "1"}
    alone = Rounds(unit({**told, **numbers}))
    assert alone.ready()
    alone.contribute(1, NO_STATE, b"a")
    assert alone.conclude(0, NO_STATE)
    assert taken(alone.advance(0, NO_STATE)).contributions == (b"a",)
    with pytest.raises(EnvironmentInvalidError, match="exchange"):
        Rounds(unit({**told, **numbers, "DRMP_UNIT_COUNT": "2"}))
    exchange = {"DRMP_EXCHANGE_DIR": "/e", "DRMP_EXCHANGE_QUORUM": "3", "DRMP_EXCHANGE_GRACE": "5"}
    with_it = unit({**told, **numbers, **exchange})
    assert (with_it.exchange_dir, with_it.exchange_quorum, with_it.exchange_grace) == (Path("/e"), 3, 5.0)
