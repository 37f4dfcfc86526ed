"""Nested training state, without pickle: tensors on the one side, the rest as JSON on the other.

A checkpoint may come from another machine. Nothing in it is executed when it is read.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from ._errors import CheckpointError

Store = Callable[[str, Any], str | None]
"""Takes a tensor by its path, and returns the name it is stored by; None if the value is no tensor."""

_MAX_DEPTH = 64


def flatten(value: Any, store: Store, path: str = "") -> Any:
    """Return state as JSON has it, with each tensor handed to `store`.

    Dictionaries, lists, tuples, sets, texts, bytes, numbers, None and tensors are allowed.

    Raises:
        CheckpointError: There is something else in it, or it is nested too deep.
    """
    return _flatten(value, store, path, 0)


def _flatten(value: Any, store: Store, path: str, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise CheckpointError(f"State is nested more than {_MAX_DEPTH} deep at {path}: does it hold itself?")
    if value is None or isinstance(value, bool | str):
        return value if value is None or isinstance(value, bool) else str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    name = store(path or "state", value)
    if name is not None:
        return {"tensor": name}
    if isinstance(value, dict):
        pairs = [
            [
                _flatten(key, store, f"{path}.<key>", depth + 1),
                _flatten(each, store, _join(path, key), depth + 1),
            ]
            for key, each in value.items()
        ]
        return {"dict": pairs}
    for kind, tag in ((list, "list"), (tuple, "tuple"), (set, "set")):
        if isinstance(value, kind):
            return {tag: [_flatten(each, store, _join(path, place), depth + 1) for place, each in enumerate(value)]}
    raise CheckpointError(
        f"State holds a {type(value).__module__}.{type(value).__qualname__} at {path or 'its root'}: keep "
        "dictionaries, lists, numbers, texts and tensors only, such as an object's state_dict()."
    )


def rebuild(skeleton: Any, load: Callable[[str], Any]) -> Any:
    """Return the state that `flatten` was given, with tensors from `load`.

    Raises:
        CheckpointError: It is not what `flatten` returns.
    """
    if skeleton is None or isinstance(skeleton, bool | int | float | str):
        return skeleton
    if isinstance(skeleton, dict) and len(skeleton) == 1:
        ((tag, content),) = skeleton.items()
        if tag == "tensor":
            return load(content)
        if tag == "bytes":
            return base64.b64decode(content)
        if tag == "dict":
            return {rebuild(key, load): rebuild(each, load) for key, each in content}
        if tag in ("list", "tuple", "set"):
            items = [rebuild(each, load) for each in content]
            return items if tag == "list" else tuple(items) if tag == "tuple" else set(items)
    raise CheckpointError("The checkpoint's state cannot be read: it was not written by this package, or is damaged.")


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
