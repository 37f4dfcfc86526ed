"""Files in the safetensors format whose tensors lie at block borders.

The checkpoint network stores files in blocks of 1 MiB and transfers a block once. A tensor that has not changed, such
as a frozen backbone's, is not transferred again if its bytes fill the same blocks as before. So the header is padded to
whole blocks, frozen tensors come first and end at a border, and each large tensor begins at one. What is left between
tensors are tensors named `__pad__.N`, because the format allows no holes. Any reader of safetensors reads such files.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from ._errors import CheckpointError

BLOCK = 1 << 20
"""Bytes of a block."""
LARGE = 8 * BLOCK
"""Tensors from this size on begin at a block border: less than an eighth is lost to padding."""
PAD = "__pad__."
"""Names of padding begin so."""
MAX_HEADER = 100_000_000
"""Longest header, bytes: the format's own bound."""

ITEM_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "C64": 8, "I64": 8, "U64": 8, "F64": 8,
}  # fmt: skip
"""Bytes of one element by the format's name of its type."""


@dataclass(frozen=True)
class Tensor:
    """What is written of a tensor."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: memoryview
    """Its elements, contiguous and little-endian."""
    frozen: bool = False
    """Whether it stays the same from checkpoint to checkpoint."""


@dataclass(frozen=True)
class Entry:
    """Where a tensor lies in a file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    """From the file's beginning, bytes."""
    nbytes: int


@dataclass(frozen=True)
class Span:
    """A tensor's place behind the header, or that of padding."""

    index: int | None
    """Of the tensor; None for padding."""
    start: int
    nbytes: int


def plan(sizes: Sequence[tuple[int, int, bool]]) -> list[Span]:
    """Say where tensors go, in order of their places.

    Args:
        sizes: For each tensor its bytes, the bytes of an element, and whether it is frozen.
    """
    spans: list[Span] = []
    end = 0

    def place(index: int, border: int) -> None:
        nonlocal end
        start = -(-end // border) * border
        if start > end:
            spans.append(Span(None, end, start - end))
        spans.append(Span(index, start, sizes[index][0]))
        end = start + sizes[index][0]

    for group in (True, False):
        members = [index for index, (_, _, frozen) in enumerate(sizes) if frozen is group]
        large = [index for index in members if sizes[index][0] >= LARGE]
        # Those with long elements first, so that all are aligned without padding.
        small = sorted((index for index in members if sizes[index][0] < LARGE), key=lambda index: -sizes[index][1])
        for position, index in enumerate(large + small):
            first_of_changing = position == 0 and not group
            place(index, BLOCK if index in large or first_of_changing else sizes[index][1])
    return spans


def write(path: Path, tensors: Sequence[Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write a file.

    Args:
        path: Replaced if it exists.
        tensors: Names differ, and do not begin with `__`.
        metadata: Texts for the header.

    Raises:
        CheckpointError: Two tensors have one name, or one is not as long as it says.
    """
    names = set()
    for tensor in tensors:
        if tensor.name in names or tensor.name.startswith("__"):
            raise CheckpointError(f'The tensor name "{tensor.name}" is taken or reserved: choose another.')
        names.add(tensor.name)
        length = prod(tensor.shape) * ITEM_BYTES[tensor.dtype]
        if tensor.data.nbytes != length:
            raise CheckpointError(
                f'Tensor "{tensor.name}" has {tensor.data.nbytes} bytes, but its shape says {length}.'
            )
    spans = plan([(each.data.nbytes, ITEM_BYTES[each.dtype], each.frozen) for each in tensors])
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": dict(metadata)}
    for number, span in enumerate(spans):
        offsets = [span.start, span.start + span.nbytes]
        if span.index is None:
            header[f"{PAD}{number}"] = {"dtype": "U8", "shape": [span.nbytes], "data_offsets": offsets}
        else:
            tensor = tensors[span.index]
            header[tensor.name] = {
                "dtype": tensor.dtype,
                "shape": list(tensor.shape),
                "data_offsets": offsets,
            }
    with path.open("wb") as file:
        file.write(_padded(header))
        for span in spans:
            if span.index is None:
                file.seek(span.nbytes, 1)  # a hole, which takes no disk
            else:
                file.write(tensors[span.index].data)


def read(path: Path) -> tuple[dict[str, str], dict[str, Entry]]:
    """Read what a file holds: its metadata, and where each tensor lies. Padding is left out.

    Raises:
        CheckpointError: It is no file in this format, or is cut short.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(MAX_HEADER, size - 8):
            raise CheckpointError(f"{path} is no safetensors file, or is cut short: its header cannot be read.")
        try:
            header = json.loads(file.read(length))
        except ValueError as error:
            raise CheckpointError(f"{path} has a header that cannot be read: {error}") from error
    metadata = header.pop("__metadata__", {})
    entries = {}
    for name, told in header.items():
        start, end = told["data_offsets"]
        entry = Entry(told["dtype"], tuple(told["shape"]), 8 + length + start, end - start)
        fits = entry.dtype in ITEM_BYTES and entry.nbytes == prod(entry.shape) * ITEM_BYTES[entry.dtype]
        if not fits or start < 0 or 8 + length + end > size:
            raise CheckpointError(f'{path} is damaged: the place of tensor "{name}" makes no sense.')
        if not name.startswith(PAD):
            entries[name] = entry
    return metadata, entries


def rearrange(path: Path, frozen: frozenset[str]) -> None:
    """Lay an existing file out again, frozen tensors first, for readers that want no names but their own.

    Without padding between tensors, so at most one block for each size of element holds both frozen and other bytes.

    Raises:
        CheckpointError: See `read`.
    """
    metadata, entries = read(path)
    names = list(entries)
    order = sorted(range(len(names)), key=lambda at: (-ITEM_BYTES[entries[names[at]].dtype], names[at] not in frozen))
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    end = 0
    for name in (names[at] for at in order):
        entry = entries[name]
        header[name] = {"dtype": entry.dtype, "shape": list(entry.shape), "data_offsets": [end, end + entry.nbytes]}
        end += entry.nbytes
    target = path.with_name(f"{path.name}.new")
    with path.open("rb") as source, target.open("wb") as file:
        file.write(_padded(header))
        for name in (names[at] for at in order):
            source.seek(entries[name].start)
            left = entries[name].nbytes
            while left > 0:
                piece = source.read(min(left, BLOCK))
                file.write(piece)
                left -= len(piece)
    target.replace(path)


def _padded(header: Mapping[str, Any]) -> bytes:
    text = json.dumps(header, separators=(",", ":")).encode()
    room = -(-(8 + len(text)) // BLOCK) * BLOCK - 8
    if room > MAX_HEADER:
        raise CheckpointError(f"The header would have {room} bytes, of {MAX_HEADER} at most: keep fewer small values.")
    return struct.pack("<Q", room) + text.ljust(room)
