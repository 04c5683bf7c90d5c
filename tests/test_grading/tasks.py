"""A tiny exercise for these tests: two tasks about stacks of layers, with the interface of `rflib.checks.catalog`."""

from __future__ import annotations

from random import Random
from typing import Any

from rflib.checks.task import Property, Rule, Task, Written
from rflib.errors import UnknownNameError

WITHOUT_RFLIB = frozenset({"91"})


def layer(random: Random, strides: tuple[int, ...], dilations: tuple[int, ...]) -> dict[str, int]:
    return {"kernel_size": random.randint(2, 5), "stride": random.choice(strides), "dilation": random.choice(dilations)}


def stacks(strides: tuple[int, ...] = (1,), dilations: tuple[int, ...] = (1,)) -> Any:
    return lambda random: [[layer(random, strides, dilations) for _ in range(random.randint(2, 4))]]


def size(layers: list[dict[str, int]]) -> int:
    """By brute force: the positions that unit 0 reads, pushed back layer by layer."""
    read = {0}
    for each in reversed(layers):
        read = {unit * each["stride"] + tap * each["dilation"] for unit in read for tap in range(each["kernel_size"])}
    return max(read) - min(read) + 1


def jump(layers: list[dict[str, int]]) -> int:
    product = 1
    for each in layers:
        product *= each["stride"]
    return product


def no_stride(layers: list[dict[str, int]]) -> int:
    return 1 + sum((each["kernel_size"] - 1) * each["dilation"] for each in layers)


SMALL = [[{"kernel_size": 3, "stride": 1, "dilation": 1}]]
STRIDED = [[{"kernel_size": 2, "stride": 2, "dilation": 1}, {"kernel_size": 2, "stride": 1, "dilation": 1}]]
TASKS = (
    Written(
        "91-size",
        "size",
        (
            Property("plain stacks", 1, stacks(), lambda: [SMALL]),
            Property("strides multiply the jump", 2, stacks((1, 2, 3)), lambda: [SMALL, STRIDED]),
        ),
        truth=size,
        rules=(Rule("M4", "You leave the strides out.", no_stride),),
    ),
    Written(
        "91-jump",
        "jump",
        (Property("the jump", 2, stacks((1, 2, 3)), lambda: [SMALL, STRIDED]),),
        truth=jump,
    ),
)


def find(name: str) -> Task:
    known = {task.id: task for task in TASKS}
    if name not in known:
        raise UnknownNameError("task", name, known)
    return known[name]
