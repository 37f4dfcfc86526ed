"""Errors of this package."""


class DrmpError(Exception):
    """Base of all errors that this package raises by itself."""


class EnvironmentInvalidError(DrmpError):
    """A variable of the workload contract is missing or makes no sense."""


class ExchangeError(DrmpError):
    """What units exchange is not as agreed, or cannot be had."""


class CheckpointError(DrmpError):
    """A checkpoint cannot be written, or cannot be read."""
