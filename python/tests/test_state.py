import json
import random
from typing import Any

import pytest

from drmp import CheckpointError, randomness
from drmp.state import flatten, rebuild


class Tensor:
    """Stands for a framework's."""


def through(value: Any) -> Any:
    kept: dict[str, Tensor] = {}

    def store(path: str, each: Any) -> str | None:
        if not isinstance(each, Tensor):
            return None
        kept[path] = each
        return path

    return rebuild(json.loads(json.dumps(flatten(value, store))), kept.__getitem__)


def test_state_comes_back_equal_and_of_the_same_types() -> None:
    shared = Tensor()
    state = {
        "optimizer": {"state": {0: {"exp_avg": shared, "step": 3}}, "groups": [{"betas": (0.9, 0.999), "on": True}]},
        "float": [0.1, 1e-300, float("inf"), -0.0],
        "large": 2**200,
        "bytes": b"\x00\xff",
        "set": {1, 2},
        None: None,
        "": [],
        (1, "a"): {},
    }
    assert through(state) == state
    assert type(through(state)["optimizer"]["groups"][0]["betas"]) is tuple
    assert through(state)["optimizer"]["groups"][0]["on"] is True


def test_a_text_that_looks_like_a_tag_is_a_text() -> None:
    assert through({"tensor": "a", "dict": {"list": [1]}}) == {"tensor": "a", "dict": {"list": [1]}}


def test_what_would_need_pickle_is_refused_with_its_place() -> None:
    with pytest.raises(CheckpointError, match=r"builtins\.object at a\.0\.b"):
        through({"a": [{"b": object()}]})
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(CheckpointError, match="nested more than 64 deep"):
        through(endless)


@pytest.mark.parametrize("skeleton", [{}, {"a": 1, "b": 2}, {"object": "os.system"}, [1]])
def test_what_was_not_written_here_is_refused(skeleton: Any) -> None:
    with pytest.raises(CheckpointError, match="cannot be read"):
        rebuild(skeleton, lambda name: None)


def test_random_numbers_go_on() -> None:
    random.seed(5)
    random.gauss(0, 1)
    states = through(randomness.capture())
    expected = [random.random(), random.gauss(0, 1)]
    randomness.restore(states)
    assert [random.random(), random.gauss(0, 1)] == expected
