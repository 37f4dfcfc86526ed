import json
import random
from itertools import pairwise
from pathlib import Path

import pytest

from drmp import CheckpointError, layout
from drmp.layout import BLOCK, LARGE, Tensor


def tensor(name: str, nbytes: int, seed: int, *, frozen: bool = False, dtype: str = "U8") -> Tensor:
    data = memoryview(random.Random(seed).randbytes(nbytes))
    return Tensor(name, dtype, (nbytes // layout.ITEM_BYTES[dtype],), data, frozen)


def blocks(path: Path) -> list[bytes]:
    content = path.read_bytes()
    return [content[start : start + BLOCK] for start in range(0, len(content), BLOCK)]


def test_written_then_read(tmp_path: Path) -> None:
    file = tmp_path / "state.safetensors"
    tensors = [
        tensor("odd", 3, 1),
        tensor("long", 64, 2, dtype="F64"),
        tensor("none", 0, 3),
        tensor("frozen", 5, 4, frozen=True),
    ]
    layout.write(file, tensors, {"note": "a"})
    metadata, entries = layout.read(file)
    assert metadata == {"note": "a"}
    assert set(entries) == {"odd", "long", "none", "frozen"}
    content = file.read_bytes()
    for each in tensors:
        entry = entries[each.name]
        assert content[entry.start : entry.start + entry.nbytes] == each.data
        assert entry.start % layout.ITEM_BYTES[each.dtype] == 0


def test_the_format_has_no_holes(tmp_path: Path) -> None:
    file = tmp_path / "state.safetensors"
    layout.write(
        file, [tensor("a", LARGE + 1, 1), tensor("b", LARGE + 5, 2), tensor("c", 9, 3), tensor("d", 8, 4, dtype="I64")]
    )
    content = file.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    spans = sorted(each["data_offsets"] for each in header.values())
    assert spans[0][0] == 0
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert 8 + length + spans[-1][1] == len(content)


def test_frozen_tensors_and_large_ones_that_stay_keep_their_blocks(tmp_path: Path) -> None:
    def state(step: int) -> list[Tensor]:
        return [
            tensor("head", 100_000, step),
            tensor("backbone.large", LARGE + 12_345, 1, frozen=True),
            tensor("expert.0", LARGE + 777, 2),
            tensor("backbone.small", 300_000, 3, frozen=True),
            tensor("expert.1", LARGE + 778, 1000 + step),
        ]

    first, second = tmp_path / "first", tmp_path / "second"
    layout.write(first, state(1), {"step": "1", "note": "x" * 10})
    layout.write(second, state(2), {"step": "2", "note": "x" * 5000})
    new = [block for block in blocks(second) if block not in set(blocks(first))]
    # The header, expert.1 and what shares its last block; expert.0 and the backbone not at all.
    assert len(new) == 1 + 9
    assert len(blocks(second)) == 1 + 9 + 9 + 9


def test_a_name_that_is_taken_and_a_length_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match='"a" is taken'):
        layout.write(tmp_path / "x", [tensor("a", 1, 1), tensor("a", 1, 2)])
    with pytest.raises(CheckpointError, match="reserved"):
        layout.write(tmp_path / "x", [tensor("__pad__.0", 1, 1)])
    with pytest.raises(CheckpointError, match="has 3 bytes, but its shape says 8"):
        layout.write(tmp_path / "x", [Tensor("a", "F32", (2,), memoryview(b"abc"))])


def test_damage_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "state.safetensors"
    layout.write(file, [tensor("a", 1000, 1)])
    content = file.read_bytes()
    for damaged in (content[:-1], content[: BLOCK // 2], b"", b"\xff" * 64, content[:9] + b"!" + content[10:]):
        file.write_bytes(damaged)
        with pytest.raises(CheckpointError):
            layout.read(file)


def test_an_existing_file_is_laid_out_again(tmp_path: Path) -> None:
    files = []
    for step in (1, 2):
        file = tmp_path / f"{step}.safetensors"
        tensors = [tensor(f"{at}.adapter", 1000, 100 * step + at) for at in range(20)]
        tensors += [tensor(f"{at}.base", BLOCK // 2, at) for at in range(20)]
        layout.write(file, sorted(tensors, key=lambda each: each.name), {"format": "pt"})
        layout.rearrange(file, frozenset(f"{at}.base" for at in range(20)))
        metadata, entries = layout.read(file)
        assert metadata == {"format": "pt"}
        content = file.read_bytes()
        for each in tensors:
            entry = entries[each.name]
            assert content[entry.start : entry.start + entry.nbytes] == each.data
        files.append(file)
    new = [block for block in blocks(files[1]) if block not in set(blocks(files[0]))]
    assert len(new) == 1
    assert len(blocks(files[1])) == 12
