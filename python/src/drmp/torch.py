"""Checkpoints and data order for programs in PyTorch."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from . import checkpoint, layout, randomness
from ._drain import Drain
from ._errors import CheckpointError
from .state import flatten, rebuild

STATE_FILE = "state.safetensors"
"""File of a checkpoint that `save` writes."""
DISTRIBUTED_DIRECTORY = "distributed"
"""Directory of a checkpoint that `save_distributed` writes."""
_METADATA = "drmp.state"

_CODES: dict[str, torch.dtype] = {
    code: getattr(torch, name)
    for code, name in {
        "BOOL": "bool", "U8": "uint8", "I8": "int8", "I16": "int16", "U16": "uint16", "I32": "int32", "U32": "uint32",
        "I64": "int64", "U64": "uint64", "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
        "C64": "complex64", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2",
    }.items()
    if hasattr(torch, name)
}  # fmt: skip
_DTYPES = {dtype: code for code, dtype in _CODES.items()}


def frozen_names(module: torch.nn.Module, prefix: str = "model") -> set[str]:
    """Return the names that a module's frozen parameters have in a state with `{prefix: module.state_dict()}`."""
    return {f"{prefix}.{name}" for name, each in module.named_parameters() if not each.requires_grad}


def write_state(directory: Path, state: Any, *, frozen: Iterable[str] = (), file: str = STATE_FILE) -> None:
    """Write state into a checkpoint's directory, tensors at block borders. See `drmp.layout`.

    Args:
        directory: Such as `checkpoint.save` hands to `write`.
        state: Nested dictionaries, lists, tuples, numbers, texts and tensors, such as state_dict() returns.
        frozen: Paths of tensors that do not change, such as `model.embedding.weight`; see `frozen_names`.
        file: Name of the file.
    """
    skeleton, tensors = _take(state, copy=False)
    _write(directory / file, skeleton, tensors, frozenset(frozen))


def read_state(directory: Path, *, device: str | torch.device = "cpu", file: str = STATE_FILE) -> Any:
    """Read state that `write_state` or `save` has written. Nothing in it is executed.

    Raises:
        CheckpointError: The checkpoint holds no such state, or is damaged.
    """
    path = directory / STATE_FILE
    if not path.is_file():
        raise CheckpointError(f"{directory} has no {STATE_FILE}: it was written by something else than drmp.torch.")
    metadata, entries = layout.read(path)
    if _METADATA not in metadata:
        raise CheckpointError(f"{path} holds tensors, but no state: read it with safetensors.")
    loaded: dict[str, torch.Tensor] = {}
    with path.open("rb") as opened:

        def load(name: str) -> torch.Tensor:
            if name not in loaded:
                entry = entries[name]
                tensor = torch.empty(entry.shape, dtype=_CODES[entry.dtype])
                opened.seek(entry.start)
                if entry.nbytes and opened.readinto(_bytes_of(tensor)) != entry.nbytes:
                    raise CheckpointError(f"{path} is cut short: restore it again.")
                loaded[name] = tensor.to(device)
            return loaded[name]

        return rebuild(json.loads(metadata[_METADATA]), load)


def save(
    step: int,
    state: Any,
    progress: float | None = None,
    *,
    frozen: Iterable[str] = (),
    keep: int | None = 2,
    background: bool = True,
) -> checkpoint.Saving | None:
    """Save state as checkpoint `step`.

    In the background, training waits only until the state is copied to memory; then a thread writes it. One is written
    at a time, and a program that ends waits for the last.

    Args:
        step: Number of the checkpoint.
        state: As for `write_state`.
        progress: How far the unit is, 0 to 1.
        frozen: As for `write_state`. Frozen tensors on the CPU are not copied.
        keep: How many checkpoints stay.
        background: Whether training goes on meanwhile.

    Returns:
        What can be waited for, if it is written in the background.
    """
    names = frozenset(frozen)
    if not background:
        checkpoint.save(step, lambda path: write_state(path, state, frozen=names), progress, keep=keep)
        return None
    checkpoint.wait()
    skeleton, tensors = _take(state, copy=True, frozen=names)
    return checkpoint.save_in_background(
        step, lambda path: _write(path / STATE_FILE, skeleton, tensors, names), progress, keep=keep
    )


def load_latest(*, device: str | torch.device = "cpu") -> tuple[int, Any] | None:
    """Return number and state of the newest checkpoint; None if the unit starts from nothing."""
    newest = checkpoint.latest()
    return None if newest is None else (newest.step, read_state(newest.path, device=device))


def save_distributed(
    step: int,
    state: dict[str, Any],
    progress: float | None = None,
    *,
    keep: int | None = 2,
    background: bool = True,
) -> checkpoint.Saving | None:
    """Save with `torch.distributed.checkpoint`; all processes of the unit call it with the same step.

    Each writes its share; process 0 lets the checkpoint appear when all have written theirs. Each tensor has a file of
    its own, which begins at a block border. In the background (`async_save`), training waits only for a copy. A process
    group with more than one process needs gloo beside NCCL: `init_process_group("cpu:gloo,cuda:nccl")`.

    Returns:
        In process 0, what can be waited for, if it is written in the background.
    """
    import torch.distributed as dist
    import torch.distributed.checkpoint as dcp

    grouped = dist.is_available() and dist.is_initialized()
    first = not grouped or dist.get_rank() == 0
    checkpoint.wait()
    pending = checkpoint.begin(step) if first else None
    where = [str(pending.path)] if pending is not None else [""]
    if grouped:
        dist.broadcast_object_list(where, src=0)
    writer = dcp.FileSystemWriter(str(Path(where[0]) / DISTRIBUTED_DIRECTORY), single_file_per_rank=False)

    def finish(wait: Callable[[], object]) -> Callable[[], checkpoint.Checkpoint]:
        def work() -> checkpoint.Checkpoint:
            try:
                wait()
                if pending is None:
                    return checkpoint.Checkpoint(step, Path(where[0]), progress)
                return pending.commit(progress, keep=keep)
            except BaseException:
                if pending is not None:
                    pending.abort()
                raise

        return work

    if background:
        future = dcp.async_save(state, storage_writer=writer)
        return checkpoint.track(finish(future.result))
    finish(lambda: dcp.save(state, storage_writer=writer))()
    return None


def load_distributed(state: dict[str, Any]) -> int | None:
    """Fill state from the newest checkpoint that `save_distributed` has written.

    Returns:
        Its number; None if the unit starts from nothing, and state is as before.
    """
    import torch.distributed.checkpoint as dcp

    newest = checkpoint.latest()
    if newest is None:
        return None
    dcp.load(state, storage_reader=dcp.FileSystemReader(str(newest.path / DISTRIBUTED_DIRECTORY)))
    return newest.step


def pack(tensors: Mapping[str, Any]) -> bytes:
    """Return tensors as the bytes of a safetensors file, by their names: equal tensors give equal bytes."""
    header: dict[str, Any] = {}
    parts: list[bytes] = []
    end = 0
    for name in sorted(tensors):
        each = tensors[name].detach().to("cpu").contiguous()
        parts.append(bytes(_bytes_of(each)))
        header[name] = {
            "dtype": _DTYPES[each.dtype],
            "shape": list(each.shape),
            "data_offsets": [end, end + len(parts[-1])],
        }
        end += len(parts[-1])
    text = json.dumps(header, separators=(",", ":")).encode()
    text = text.ljust(-(-len(text) // 8) * 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def unpack(content: bytes) -> dict[str, torch.Tensor]:
    """Return the tensors that `pack` has packed. Nothing in them is executed.

    Raises:
        CheckpointError: The bytes are something else, or were cut short.
    """
    try:
        start = 8 + int.from_bytes(content[:8], "little")
        header = json.loads(content[8:start])
        tensors: dict[str, torch.Tensor] = {}
        for name, told in header.items():
            begin, end = told["data_offsets"]
            tensor = torch.empty(tuple(told["shape"]), dtype=_CODES[told["dtype"]])
            part = content[start + begin : start + end]
            if not 0 <= begin <= end or len(part) != tensor.numel() * tensor.element_size():
                raise ValueError(f"the place of {name} makes no sense")
            if part:
                _bytes_of(tensor)[:] = part
            tensors[name] = tensor
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"These bytes are no packed tensors: {error}") from error
    return tensors


def mean_of(contributions: Iterable[bytes]) -> dict[str, torch.Tensor]:
    """Return the mean of tensors that `pack` has packed, summed in their order: the same bits everywhere."""
    parts = [unpack(each) for each in contributions]
    mean = parts[0]
    for part in parts[1:]:
        for name, each in mean.items():
            each.add_(part[name])
    return {name: each.div_(len(parts)) for name, each in mean.items()}


def drain_requested(drain: Drain) -> bool:
    """Whether any process of this unit was asked to leave: all get the same answer, and have to ask together."""
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
        return drain.requested
    device = torch.device("cuda", torch.cuda.current_device()) if "nccl" in dist.get_backend() else torch.device("cpu")
    asked = torch.tensor([int(drain.requested)], device=device)
    dist.all_reduce(asked, op=dist.ReduceOp.MAX)
    if bool(asked.item()):
        drain.request()
    return drain.requested


class Loader:
    """A DataLoader that goes on where it was, to the bit.

    Wraps any loader, with any sampler and workers. A loader that resumes in the middle of an epoch begins the epoch
    again with the random states that the epoch began with, passes over the batches that were used, and sets the random
    states of the checkpoint. `epoch` and `batch` say where it is:

        while loader.epoch < epochs:
            for batch in loader:
                ...
    """

    def __init__(self, loader: Any) -> None:
        self.loader = loader
        """What is wrapped."""
        self.epoch = 0
        """Epochs that are complete."""
        self.batch = 0
        """Batches of this epoch that were handed out."""
        self._began: dict[str, Any] | None = None
        self._resume: dict[str, Any] | None = None

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        resumed, self._resume = self._resume, None
        if resumed is not None:
            randomness.restore(resumed["began"])
        else:
            self.batch = 0
        self._began = randomness.capture()
        for sampler in (getattr(self.loader, "sampler", None), getattr(self.loader, "batch_sampler", None)):
            if sampler is not None and hasattr(sampler, "set_epoch"):
                sampler.set_epoch(self.epoch)
        batches = iter(self.loader)
        if resumed is not None:
            for _ in range(self.batch):
                next(batches)
            if self.batch > 0:
                randomness.restore(resumed["now"])
        for batch in batches:
            self.batch += 1
            yield batch
        self.epoch += 1
        self.batch = 0

    def state_dict(self) -> dict[str, Any]:
        """Return where it is, and all random states."""
        now = randomness.capture()
        if self._resume is not None:
            return dict(self._resume)
        return {"epoch": self.epoch, "batch": self.batch, "began": self._began or now, "now": now}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there at the next iteration."""
        self.epoch, self.batch = state["epoch"], state["batch"]
        if self.batch >= self._length():
            # The checkpoint was written after an epoch's last batch.
            self.epoch, self.batch = self.epoch + 1, 0
        began = state["now"] if self.batch == 0 else state["began"]
        self._resume = {"epoch": self.epoch, "batch": self.batch, "began": began, "now": state["now"]}

    def _length(self) -> float:
        try:
            return len(self.loader)
        except TypeError:
            return float("inf")


def _take(state: Any, *, copy: bool, frozen: frozenset[str] = frozenset()) -> tuple[str, dict[str, torch.Tensor]]:
    """Split state into its skeleton and its tensors, on the CPU; a tensor that occurs twice is stored once."""
    tensors: dict[str, torch.Tensor] = {}
    names: dict[tuple[Any, ...], str] = {}

    def store(path: str, value: Any) -> str | None:
        if not isinstance(value, torch.Tensor):
            return None
        if value.dtype not in _DTYPES or value.layout != torch.strided or value.is_quantized:
            raise CheckpointError(f"The tensor at {path} has type {value.dtype}, {value.layout}: it cannot be stored.")
        view = value.detach()
        key = (
            view.device,
            view.data_ptr(),
            view.dtype,
            tuple(view.shape),
            view.stride(),
            view.numel() or path,
        )
        if key not in names:
            name = path
            while name in tensors or name.startswith("__"):
                name = f"_{len(tensors)}.{path}"
            names[key] = name
            on_cpu = view.to("cpu").resolve_conj().resolve_neg()
            own = on_cpu.data_ptr() != view.data_ptr()
            tensors[name] = on_cpu.clone() if copy and not own and path not in frozen else on_cpu
        return names[key]

    return json.dumps(flatten(state, store)), tensors


def _write(path: Path, skeleton: str, tensors: dict[str, torch.Tensor], frozen: frozenset[str]) -> None:
    held = {name: each.contiguous() for name, each in tensors.items()}
    layout.write(
        path,
        [
            layout.Tensor(name, _DTYPES[each.dtype], tuple(each.shape), _bytes_of(each), name in frozen)
            for name, each in held.items()
        ],
        {_METADATA: skeleton},
    )


def _bytes_of(tensor: torch.Tensor) -> memoryview:
    """Return a contiguous CPU tensor's own memory, without NumPy. The tensor has to outlive it."""
    nbytes = tensor.numel() * tensor.element_size()
    if nbytes == 0:
        return memoryview(b"")
    return memoryview((ctypes.c_char * nbytes).from_address(tensor.data_ptr())).cast("B")
