"""Rounds in which the units of one task train one model.

In each round every unit trains from the same state and contributes what it has changed. Unit 0 writes the round's
record: who took part, and the state that they all began from, each by the SHA-256 of its file. All units average
exactly the files that the record names, in its order, so that all have the same result, to the bit. A unit that was
away goes on from the newest record, the state that it names, and its files.

`drmp.diloco` does all of this for a model in PyTorch; `average` is for programs that exchange tensors by themselves.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._errors import EnvironmentInvalidError, ExchangeError
from ._unit import Unit
from ._unit import unit as this_unit

POLL = 0.1
"""Seconds between two looks at what has arrived."""
READY_PATIENCE = 120.0
"""Longest wait until the agent has asked the other units, seconds."""
FILE_PATIENCE = 60.0
"""Longest wait for a file that a record names before a newer record is looked for, seconds."""
KEPT_ROUNDS = 4
"""Files of so many rounds stay in `out/`."""
NO_STATE = "0" * 64
"""Stands for the state before a round where units average something that is complete by itself."""
_MAX_ROUND = 999_999_999
_MAX_RECORD = 64 * 1024
_NAME = re.compile(r"(delta|record|state)-(\d{9})")
_HELD = re.compile(r"(\d{1,8})\.(\d{1,8})\.[a-z0-9]{1,100}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Member:
    """A unit that took part in a round."""

    unit: int
    sha256: str
    """Of its contribution."""


@dataclass(frozen=True)
class Record:
    """Who took part in a round."""

    round: int
    """The first is 1."""
    before: str
    """SHA-256 of the state that all members began from."""
    members: tuple[Member, ...]
    """By ascending unit."""

    @property
    def units(self) -> tuple[int, ...]:
        """Return the members' units."""
        return tuple(member.unit for member in self.members)


@dataclass(frozen=True)
class Advance:
    """What brings a unit to a round's end."""

    record: Record
    state: bytes | None
    """The state before the round, if it is not the one that the unit has."""
    contributions: tuple[bytes, ...]
    """In the record's order."""


class Rounds:
    """One unit's view of the rounds.

    Where the spec has no `exchange`, as on a developer's own machine, the unit is alone with its rounds.

    Args:
        unit: This unit.
        quorum: Units that a round needs; the spec's `exchange.quorum` if left out.
        grace: Seconds for which a round waits for more of them; the spec's `exchange.graceSeconds` if left out.
        going: Asked while it waits; False ends the wait.
    """

    def __init__(
        self,
        unit: Unit | None = None,
        *,
        quorum: int | None = None,
        grace: float | None = None,
        going: Callable[[], bool] = lambda: True,
    ) -> None:
        self.unit = this_unit() if unit is None else unit
        directory = self.unit.exchange_dir
        self._alone = directory is None
        if directory is None:
            if self.unit.count > 1:
                raise EnvironmentInvalidError('DRMP_EXCHANGE_DIR is not set: the spec needs an "exchange".')
            directory = self.unit.checkpoint_dir / ".exchange"
        self._in, self._out = directory / "in", directory / "out"
        if self._alone:
            self._in.mkdir(parents=True, exist_ok=True)
            self._out.mkdir(parents=True, exist_ok=True)
        wanted = self.unit.exchange_quorum if quorum is None else quorum
        self._quorum = max(1, min(wanted, self.unit.count))
        self._grace = self.unit.exchange_grace if grace is None else grace
        self._going = going
        self._quorum_at: tuple[int, float] | None = None
        self._ready = False

    def ready(self) -> bool:
        """Wait until the agent has asked the other units: a record must not be written twice. False if it is to end."""
        end = time.monotonic() + READY_PATIENCE
        while not (self._ready or self._alone or (self._in / "ready").exists()):
            if time.monotonic() > end:
                raise ExchangeError("The agent has not asked the other units yet: try again.")
            if not self._pause():
                return False
        self._ready = True
        return True

    def contribute(self, number: int, base: str, payload: bytes) -> None:
        """Publish this unit's contribution to a round, made from the state with this SHA-256."""
        path = self._own("delta", number)
        if _base_of(path) != base:
            _publish(path, bytes.fromhex(base) + payload)

    def publish_state(self, number: int, state: bytes) -> None:
        """Publish the state after a round for those who come back, and let go of what is old."""
        _publish(self._own("state", number), state)
        self._let_go(number)

    def newest(self) -> int:
        """Return the newest round that has a record; 0 if there is none."""
        return max(self._rounds("record"), default=0)

    def record(self, number: int) -> Record | None:
        """Return a round's record, under the highest fence; None if there is none yet."""
        paths = [path for unit, path in self._held("record", number) if unit == 0]
        if self.unit.index == 0:
            paths.insert(0, self._own("record", number))
        for path in paths:
            content = _read(path, _MAX_RECORD)
            if content is not None:
                return _parse(content, number, self.unit.count)
        return None

    def conclude(self, position: int, digest: str) -> bool:
        """Return whether the round after `position` has a record, or a later one has; unit 0 writes it once it can.

        That is when all units that took part in the round before have contributed, or so many as the quorum and the
        grace is over. A contribution of unit 0 is one like the others: where it comes late, it is left out.
        """
        number = position + 1
        if any(each >= number for each in self._rounds("record")):
            return True
        if self.unit.index != 0:
            return False
        members = self._contributions(number, digest)
        if len(members) < self._quorum:
            return False
        before = self.record(position) if position > 0 else None
        expected = range(self.unit.count) if before is None else before.units
        now = time.monotonic()
        if self._quorum_at is None or self._quorum_at[0] != number:
            self._quorum_at = (number, now)
        if any(unit not in members for unit in expected) and now - self._quorum_at[1] < self._grace:
            return False
        named = [{"unit": unit, "sha256": digest_of(members[unit].read_bytes())} for unit in sorted(members)]
        record = {"round": number, "before": digest, "members": named}
        _publish(self._own("record", number), (json.dumps(record, separators=(",", ":")) + "\n").encode())
        return True

    def concluded(self, position: int, digest: str, waiting: Callable[[float], object] | None = None) -> bool:
        """Wait for the record of the round after `position`. False if it is to end.

        Args:
            position: Rounds that are complete.
            digest: SHA-256 of the state after them.
            waiting: Called with the seconds that it has waited so far; may save a checkpoint, as a sign of life.
        """
        since = time.monotonic()
        while not self.conclude(position, digest):
            if not self._pause():
                return False
            if waiting is not None:
                waiting(time.monotonic() - since)
        return True

    def advance(self, position: int, digest: str) -> Advance | None:
        """Return what brings a unit forward; None if there is nothing newer.

        After rounds without this unit it begins from the state that the newest record names.
        """
        while True:
            rounds = [each for each in self._rounds("record") if each > position]
            if not rounds:
                return None
            newest = max(rounds)
            for number in dict.fromkeys((min(rounds), newest)):
                record = self.record(number)
                if record is None:
                    continue
                follows = number == position + 1 and record.before == digest
                if not follows and number != newest:
                    continue
                taken = self._take(record, follows or record.before == NO_STATE)
                if taken is not None:
                    return taken
            if not self._pause():
                return None

    def contributions(self, record: Record) -> tuple[bytes, ...] | None:
        """Return what a record names, in its order; None if it cannot be had."""
        taken = self._take(record, True)
        return None if taken is None else taken.contributions

    def _take(self, record: Record, has_state: bool) -> Advance | None:
        end = time.monotonic() + FILE_PATIENCE
        want = self._out / f"want-{_name('state', record.round - 1)}"
        found: dict[str, bytes] = {}
        state: bytes | None = None
        try:
            while True:
                if not has_state and state is None:
                    state = self._find("state", record.round - 1, record.before)
                for member in record.members:
                    if member.sha256 not in found:
                        content = self._find("delta", record.round, member.sha256, member.unit)
                        if content is not None:
                            found[member.sha256] = content[32:]
                if all(member.sha256 in found for member in record.members) and (has_state or state is not None):
                    return Advance(record, state, tuple(found[member.sha256] for member in record.members))
                if not has_state and state is None and not want.exists():
                    _publish(want, b"")
                old = any(each > record.round + 1 for each in self._rounds("record"))
                if old or time.monotonic() > end or not self._pause():
                    return None
        finally:
            want.unlink(missing_ok=True)

    def _contributions(self, number: int, base: str) -> dict[int, Path]:
        found: dict[int, Path] = {}
        for unit, path in [(self.unit.index, self._own("delta", number)), *self._held("delta", number)]:
            if unit < self.unit.count and unit not in found and _base_of(path) == base:
                found[unit] = path
        return found

    def _find(self, kind: str, number: int, sha256: str, unit: int | None = None) -> bytes | None:
        paths = [self._own(kind, number)] if unit in (None, self.unit.index) else []
        paths += [path for other, path in self._held(kind, number) if unit in (None, other)]
        for path in paths:
            content = _read(path)
            if content is not None and digest_of(content) == sha256:
                return content
        return None

    def _held(self, kind: str, number: int) -> list[tuple[int, Path]]:
        """Return units and files that the agent has laid there, highest fence first."""
        directory = self._in / _name(kind, number)
        held: list[tuple[int, str, int]] = []
        for name in _names(directory):
            match = _HELD.fullmatch(name)
            if match is not None:
                held.append((-int(match[2]), name, int(match[1])))
        return [(unit, directory / name) for _, name, unit in sorted(held)]

    def _rounds(self, kind: str) -> Iterator[int]:
        for directory in (self._in, self._out):
            for name in _names(directory):
                match = _NAME.fullmatch(name)
                if match is not None and match[1] == kind:
                    yield int(match[2])

    def _let_go(self, number: int) -> None:
        for name in _names(self._out):
            match = _NAME.fullmatch(name)
            if match is not None and int(match[2]) <= number - KEPT_ROUNDS:
                (self._out / name).unlink(missing_ok=True)

    def _own(self, kind: str, number: int) -> Path:
        return self._out / _name(kind, number)

    def _pause(self) -> bool:
        if not self._going():
            return False
        time.sleep(POLL)
        return self._going()


def average(
    number: int,
    tensors: Mapping[str, Any] | None,
    *,
    quorum: int | None = None,
    grace: float | None = None,
    rounds: Rounds | None = None,
    waiting: Callable[[float], object] | None = None,
) -> tuple[dict[str, Any], Record]:
    """Average PyTorch tensors with the task's other units.

    What is averaged has to be complete by itself, such as a model's weights: a unit that comes back calls this with
    `newest()` and no tensors of its own, and goes on from what it gets. For steps with a memory over the average, such
    as Nesterov's, use `drmp.diloco`.

    Args:
        number: The round; the first is 1, and each is averaged once.
        tensors: This unit's, by name; None if it has none for this round.
        quorum: Units that the round needs; the spec's `exchange.quorum` if left out.
        grace: Seconds for which it waits for more of them; the spec's `exchange.graceSeconds` if left out.
        rounds: To be used instead of new ones.
        waiting: As for `Rounds.concluded`.

    Returns:
        The mean over the round's members, the same to the bit on all units, and the round's record.

    Raises:
        ExchangeError: The program is to end, or the round is over for so long that it can no longer be had.
    """
    from .torch import mean_of, pack

    view = Rounds(quorum=quorum, grace=grace) if rounds is None else rounds
    if not view.ready():
        raise ExchangeError("The program is to end: nothing was averaged.")
    if tensors is not None and view.record(number) is None:
        view.contribute(number, NO_STATE, pack(tensors))
    while (record := view.record(number)) is None:
        if not view.concluded(number - 1, NO_STATE, waiting):
            raise ExchangeError("The program is to end: nothing was averaged.")
        if view.record(number) is None and view.newest() > number:
            raise ExchangeError(f"Round {number} is over, and round {view.newest()} the newest: go on from that one.")
    contributions = view.contributions(record)
    if contributions is None:
        raise ExchangeError(f"What round {number} averages can no longer be had: go on from round {view.newest()}.")
    view._let_go(number)
    return mean_of(contributions), record


def newest() -> int:
    """Return the newest round that has a record, once the other units were asked; 0 if there is none."""
    rounds = Rounds()
    rounds.ready()
    return rounds.newest()


def digest_of(content: bytes) -> str:
    """Return the SHA-256 by which records name files."""
    return hashlib.sha256(content).hexdigest()


def _name(kind: str, number: int) -> str:
    if not 0 <= number <= _MAX_ROUND:
        raise ExchangeError(f"There is no round {number}: rounds are 0 to {_MAX_ROUND}.")
    return f"{kind}-{number:09d}"


def _names(directory: Path) -> list[str]:
    try:
        return [entry.name for entry in directory.iterdir()]
    except FileNotFoundError:
        return []


def _publish(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all, and is on disk before it does."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _read(path: Path, most: int | None = None) -> bytes | None:
    try:
        if not path.is_file() or (most is not None and path.stat().st_size > most):
            return None
        return path.read_bytes()
    except FileNotFoundError:  # let go meanwhile
        return None


def _base_of(path: Path) -> str | None:
    """Return the SHA-256 of the state that a contribution was made from; it begins with it."""
    try:
        with path.open("rb") as file:
            base = file.read(32)
    except OSError:
        return None
    return base.hex() if len(base) == 32 else None


def _parse(content: bytes, number: int, count: int) -> Record:
    try:
        record = json.loads(content)
        members = tuple(Member(int(each["unit"]), str(each["sha256"])) for each in record["members"])
        before = str(record["before"])
        units = [member.unit for member in members]
        digests = [before, *(member.sha256 for member in members)]
        good = (
            record["round"] == number
            and units == sorted(set(units))
            and 0 < len(units) <= count
            and units[0] >= 0
            and units[-1] < count
            and all(_DIGEST.fullmatch(each) for each in digests)
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExchangeError(f"The record of round {number} is none: {error}.") from error
    if not good:
        raise ExchangeError(f"The record of round {number} names another round, or no units in ascending order.")
    return Record(number, before, members)
