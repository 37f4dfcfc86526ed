"""What a training program needs to run, stop and go on under VerAI DRMP.

    import drmp

    unit = drmp.unit()
    drain = drmp.on_drain()
    newest = drmp.checkpoint.latest()

The modules `drmp.torch`, `drmp.diloco`, `drmp.transformers` and `drmp.lightning` are imported by
name, and need their framework.
"""

from . import checkpoint, exchange
from ._drain import Drain, on_drain
from ._errors import CheckpointError, DrmpError, EnvironmentInvalidError, ExchangeError
from ._logs import flush_logs
from ._unit import Unit, unit

__version__ = "0.1.0"
__all__ = [
    "CheckpointError",
    "Drain",
    "DrmpError",
    "EnvironmentInvalidError",
    "ExchangeError",
    "Unit",
    "__version__",
    "checkpoint",
    "exchange",
    "flush_logs",
    "on_drain",
    "unit",
]
