"""Does what PyTorch and its like do in a container, and tells what came out."""

import ctypes
import getpass
import json
import os
import pwd
import socket
import subprocess
import tempfile

import torch
from torch.utils.data import DataLoader, Dataset


class Large(Dataset):
    """Elements of 32 MiB."""

    def __len__(self):
        """Return how many there are."""
        return 4

    def __getitem__(self, index):
        """Return one."""
        return torch.full((8 << 20,), float(index))


def loaded_from_scratch():
    """Compile a library where temporary files go, and load it."""
    with tempfile.TemporaryDirectory() as directory:
        with open(f"{directory}/seven.c", "w") as source:
            source.write("int seven(void) { return 7; }")
        library = f"{directory}/seven.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source.name], check=True)
        return ctypes.CDLL(library).seven()


def main():
    """Try all."""
    with open("/tmp/large", "wb") as file:
        file.write(bytes(80 << 20))
    os.remove("/tmp/large")
    result = {
        "user": [getpass.getuser(), pwd.getpwuid(os.getuid()).pw_name, os.path.expanduser("~")],
        "host": socket.gethostbyname(socket.gethostname()),
        "init": os.getpid() != 1,
        "library": loaded_from_scratch(),
        "threads": [torch.get_num_threads(), os.cpu_count()],
        "batches": sum(int(batch[0, 0]) for batch in DataLoader(Large(), batch_size=1, num_workers=2)),
        "compiled": torch.compile(lambda x: (2 * x).sum())(torch.ones(10)).item(),
        "cache": os.path.isdir("/tmp/torchinductor_unit"),
    }
    with open(os.path.join(os.environ["DRMP_OUTPUT_DIR"], "result.json"), "w") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main()
