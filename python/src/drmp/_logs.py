"""What a program prints reaches its log in time."""

from __future__ import annotations

import contextlib
import io
import logging
import sys


def flush_logs() -> None:
    """Write out what standard output, standard error and all log handlers still hold back."""
    loggers = [
        logging.root,
        *(each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)),
    ]
    for handler in [handler for logger in loggers for handler in logger.handlers]:
        with contextlib.suppress(OSError, ValueError):
            handler.flush()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()


def by_line() -> None:
    """Write each line when it ends: a pipe would otherwise hold 8 KiB back, and lose it if the program is killed."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
