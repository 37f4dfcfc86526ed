import itertools
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch

import drmp
import drmp.torch
from drmp import CheckpointError, checkpoint, layout, randomness

SOURCE = str(Path(__file__).parents[2] / "src")


@pytest.fixture(autouse=True)
def own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_state_of_every_type_comes_back(tmp_path: Path) -> None:
    state = {dtype: torch.arange(6).reshape(2, 3).to(dtype) for dtype in drmp.torch._DTYPES}
    tree = {
        "tensors": list(state.values()),
        "transposed": torch.randn(3, 4).t(),
        "scalar": torch.tensor(1.5),
        "none": torch.empty(0, 3),
    }
    drmp.torch.write_state(tmp_path, tree)
    back = drmp.torch.read_state(tmp_path)
    for before, after in zip(
        [*tree["tensors"], tree["transposed"], tree["scalar"], tree["none"]],
        [*back["tensors"], back["transposed"], back["scalar"], back["none"]],
        strict=True,
    ):
        assert before.dtype == after.dtype
        assert before.shape == after.shape
        assert bytes(before.contiguous().view(torch.uint8).flatten().tolist() if before.dim() else b"") == bytes(
            after.view(torch.uint8).flatten().tolist() if after.dim() else b""
        )
    assert back["scalar"].item() == 1.5


def test_safetensors_reads_it(tmp_path: Path) -> None:
    load_file = pytest.importorskip("safetensors.torch").load_file
    model = torch.nn.Sequential(torch.nn.Embedding(3000, 1024), torch.nn.Linear(8, 8))
    model[0].requires_grad_(False)
    drmp.torch.write_state(tmp_path, {"model": model.state_dict()}, frozen=drmp.torch.frozen_names(model))
    found = load_file(tmp_path / drmp.torch.STATE_FILE)
    named = {name.removeprefix("model."): each for name, each in found.items() if not name.startswith(layout.PAD)}
    assert named.keys() == model.state_dict().keys()
    assert all(torch.equal(named[name], each) for name, each in model.state_dict().items())


def test_tied_weights_are_stored_once(tmp_path: Path) -> None:
    weight = torch.randn(4, 4)
    drmp.torch.write_state(
        tmp_path, {"a": weight, "b": weight, "c": weight[:2], "d": torch.empty(0), "e": torch.empty(0)}
    )
    _, entries = layout.read(tmp_path / drmp.torch.STATE_FILE)
    assert set(entries) == {"a", "c", "d", "e"}
    back = drmp.torch.read_state(tmp_path)
    assert torch.equal(back["b"], weight)
    assert torch.equal(back["c"], weight[:2])


def test_training_goes_on_while_a_copy_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    write = drmp.torch._write

    def slow(*arguments: Any) -> None:
        assert go.wait(10)
        write(*arguments)

    monkeypatch.setattr(drmp.torch, "_write", slow)
    weight = torch.zeros(4)
    saving = drmp.torch.save(1, {"weight": weight}, 0.5)
    weight += 1  # a training step
    assert saving is not None
    assert not saving.done
    go.set()
    saving.wait()
    assert drmp.torch.load_latest() is not None
    step, state = drmp.torch.load_latest() or (0, {})
    assert (step, state["weight"].tolist()) == (1, [0, 0, 0, 0])


def test_what_is_not_state_is_refused_before_anything_is_written() -> None:
    with pytest.raises(CheckpointError, match=r"Linear at model"):
        drmp.torch.save(1, {"model": torch.nn.Linear(2, 2)})
    with pytest.raises(CheckpointError, match=r"torch\.sparse_coo"):
        drmp.torch.save(1, {"sparse": torch.eye(2).to_sparse()})
    assert checkpoint.latest() is None


def test_all_random_states_come_back(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    torch.manual_seed(3)
    torch.randn(1)
    drmp.torch.write_state(tmp_path, randomness.capture())
    expected = [torch.rand(3).tolist(), numpy.random.rand(3).tolist()]
    randomness.restore(drmp.torch.read_state(tmp_path))
    assert [torch.rand(3).tolist(), numpy.random.rand(3).tolist()] == expected


class Noisy(torch.utils.data.Dataset[Any]):
    """Looks at an element differ, in the process that loads and in its workers."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> Any:
        return torch.tensor([float(index), torch.rand(()).item()])


@pytest.mark.parametrize("workers", [0, 2])
def test_data_goes_on_at_every_batch(workers: int) -> None:
    def loader() -> drmp.torch.Loader:
        made = torch.utils.data.DataLoader(Noisy(), batch_size=4, shuffle=True, num_workers=workers)
        return drmp.torch.Loader(made)

    def steps(data: drmp.torch.Loader) -> Any:
        while data.epoch < 2:
            for batch in data:
                yield batch.tolist(), torch.rand(()).item()

    torch.manual_seed(1)
    alone = list(steps(loader()))
    assert len(alone) == 6
    for at in range(7):
        torch.manual_seed(1)
        first = loader()
        seen = list(itertools.islice(steps(first), at))
        state = json.loads(json.dumps(first.state_dict(), default=lambda each: each.tolist()))
        for key in ("began", "now"):
            state[key]["torch"] = torch.tensor(state[key]["torch"], dtype=torch.uint8)
            version, keys, gauss = state[key]["python"]
            state[key]["python"] = (version, tuple(keys), gauss)
        torch.manual_seed(99)
        second = loader()
        second.load_state_dict(state)
        assert seen + list(steps(second)) == alone, f"stopped after {at} batches"


def test_distributed_checkpoints_without_a_process_group() -> None:
    state = {"weight": torch.randn(1000), "step": torch.tensor(3)}
    expected = state["weight"].clone()
    saving = drmp.torch.save_distributed(5, state, 0.5)
    state["weight"] += 1
    assert saving is not None
    assert saving.wait().step == 5
    fresh = {"weight": torch.zeros(1000), "step": torch.tensor(0)}
    assert drmp.torch.load_distributed(fresh) == 5
    assert torch.equal(fresh["weight"], expected)
    newest = checkpoint.latest()
    assert newest is not None
    assert newest.progress == 0.5


def test_a_frozen_tensor_has_the_same_files_in_distributed_checkpoints() -> None:
    frozen = torch.randn(1 << 20)
    files = []
    for step in (1, 2):
        drmp.torch.save_distributed(
            step, {"frozen": frozen, "head": torch.full((1000,), float(step))}, background=False
        )
        newest = checkpoint.latest()
        assert newest is not None
        files.append({file.read_bytes() for file in newest.path.rglob("*.distcp")})
    assert max(len(each) for each in files[0] & files[1]) > frozen.nbytes


def test_two_processes_of_a_unit(tmp_path: Path) -> None:
    program = """
import os, sys, torch, torch.distributed as dist, drmp, drmp.torch
torch.set_num_threads(1)
dist.init_process_group("gloo")
rank = dist.get_rank()
drain = drmp.on_drain()
if rank == 1:
    drain.request()
assert drmp.torch.drain_requested(drain), "all processes agree"
weight = torch.nn.Parameter(torch.full((1000,), 1.0))
state = {"weight": weight.detach()}
drmp.torch.save_distributed(7, state, 0.5)
drmp.checkpoint.wait()
dist.barrier()
state["weight"].zero_()
assert drmp.torch.load_distributed(state) == 7
assert state["weight"].sum().item() == 1000
print(f"rank {rank} is done")
dist.destroy_process_group()
"""
    (tmp_path / "program.py").write_text(program)
    started = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--local-addr", "127.0.0.1",
         "--rdzv-backend", "static", "--master-addr", "127.0.0.1", "--master-port", "29573", "program.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": SOURCE, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "rank 0 is done" in ran.stdout
    assert "rank 1 is done" in ran.stdout
    print(f"two processes: {time.monotonic() - started:.1f} s")
    assert [each.name for each in (tmp_path / "drmp-local" / "checkpoint").iterdir()] == ["checkpoint-000000007"]
