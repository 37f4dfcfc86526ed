"""Does between directories what agents do between machines."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from drmp import Unit
from drmp.exchange import digest_of


def carry(units: Sequence[Unit], fence: int = 1) -> None:
    """Do once what agents do all the time."""
    for source in units:
        for target in units:
            assert source.exchange_dir is not None
            assert target.exchange_dir is not None
            wanted = {path.name.removeprefix("want-") for path in (target.exchange_dir / "out").glob("want-*")}
            for file in (source.exchange_dir / "out").glob("*-?????????"):
                if (
                    source is target
                    or file.name.startswith("want")
                    or ("state" in file.name and file.name not in wanted)
                ):
                    continue
                try:
                    content = file.read_bytes()
                except FileNotFoundError:  # let go meanwhile
                    continue
                held = target.exchange_dir / "in" / file.name / f"{source.index}.{fence}.{digest_of(content)}"
                if not held.exists():
                    held.parent.mkdir(exist_ok=True)
                    held.with_suffix(".tmp").write_bytes(content)
                    held.with_suffix(".tmp").rename(held)


@contextmanager
def carrying(units: Sequence[Unit]) -> Iterator[None]:
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.02):
            carry(units)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
