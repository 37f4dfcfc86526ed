"""Several processes, or GPUs, of one machine: plain PyTorch with DistributedDataParallel.

    torchrun --standalone --nproc-per-node 2 examples/ddp.py

Arguments: --epochs, --every (steps from checkpoint to checkpoint), --pace (pause after each step, milliseconds).
"""

import argparse
import hashlib
import json
import os
import time

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

import drmp
import drmp.torch


def main() -> None:
    """Train, or go on training."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--pace", type=float, default=0)
    told = parser.parse_args()

    drain = drmp.on_drain()
    torch.set_num_threads(1)
    on_gpu = torch.cuda.is_available()
    dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo")
    rank = dist.get_rank()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)

    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(16, 64), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(64, 4)
    )
    points = torch.randn(512, 16)
    data = TensorDataset(points, points[:, :4].argmax(1))
    torch.manual_seed(rank)  # each process has dropout of its own
    model = DistributedDataParallel(network.to(device), device_ids=[device.index] if on_gpu else None)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    loader = drmp.torch.Loader(DataLoader(data, batch_size=16, sampler=DistributedSampler(data, seed=1)))
    steps = told.epochs * len(loader)

    # Weights are the same in all processes; where each is in its data, and its random states, are its own.
    step = 0
    newest = drmp.torch.load_latest(device=device)
    if newest is not None:
        step, state = newest
        network.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        loader.load_state_dict(state["loaders"][rank])
    if rank == 0:
        print(f"starts at step {step} of {steps}")

    if newest is not None and drmp.checkpoint.stops(step):
        dist.destroy_process_group()
        drain.exit()
    while loader.epoch < told.epochs:
        for inputs, labels in loader:
            loss = torch.nn.functional.cross_entropy(model(inputs.to(device)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if rank == 0:
                print(f"step {step} loss {loss.item():.4f}")
            leaves = drmp.torch.drain_requested(drain) or drmp.checkpoint.stops(step)
            if leaves or drmp.checkpoint.due(step, told.every):
                loaders: list[dict[str, object]] = [{}] * dist.get_world_size()
                dist.all_gather_object(loaders, loader.state_dict())
                if rank == 0:
                    state = {"model": network.state_dict(), "optimizer": optimizer.state_dict(), "loaders": loaders}
                    drmp.torch.save(step, state, step / steps)
            if leaves:
                dist.destroy_process_group()
                drain.exit()
            time.sleep(told.pace / 1000)
    drmp.checkpoint.wait()

    if rank == 0:
        weights = b"".join(each.detach().cpu().numpy().tobytes() for each in network.parameters())
        result = {"steps": step, "sha256": hashlib.sha256(weights).hexdigest()}
        (drmp.unit().output_dir / "result.json").write_text(json.dumps(result))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
