"""The truth of the exercise on effective fields, held against the library's gradients and its closed form."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
import torch

import rflib as rf
from rflib.checks import catalog, exercise_07, measured
from rflib.checks.preparing import network_and_signals
from rflib.checks.task import Written


@pytest.mark.parametrize("relu", [False, True])
def test_maps_are_those_of_the_library(relu: bool) -> None:
    random = Random(relu)
    for _ in range(100):
        layers, signals, unit = exercise_07._wide(random, relu, random.randint(2, 4))
        network, given = network_and_signals([layers, signals])
        found = rf.effective_receptive_field(network, given, unit=(unit,))
        assert np.allclose(measured.effective_map(layers, signals, unit), found.map, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("relu", [False, True])
def test_no_input_of_the_check_lies_on_an_edge_of_a_relu(relu: bool) -> None:
    for inputs in exercise_07._small_maps(relu):
        assert measured.is_smooth(*inputs)


def test_an_input_on_an_edge_is_recognized() -> None:
    conv = {"kind": "conv", "kernel_size": 1, "weights": [[[1.0]]]}
    layers = [conv, {"kind": "relu"}]
    assert not measured.is_smooth(layers, [[[0.0001, 1.0]]], 0)
    assert measured.is_smooth(layers, [[[0.0001, 1.0]]], 1)
    assert measured.is_smooth(layers, [[[-0.5, 1.0]]], 0)


@pytest.mark.parametrize("jumps", [False, True])
def test_sigma_of_a_walk_is_the_closed_form_of_the_library(jumps: bool) -> None:
    random = Random(jumps)
    for _ in range(300):
        [layers] = exercise_07._draw_walk(random, jumps)
        stack = [rf.Layer(**{**each, "padding": 0}) for each in layers]
        assert math.isclose(measured.walk_sigma(layers), rf.effective_sigma(stack), rel_tol=1e-9)


def test_sigma_is_that_of_numpy() -> None:
    random = Random(5)
    for _ in range(300):
        [weights] = random.choice((exercise_07._even_bell, exercise_07._draw_off))(random)
        places = np.arange(len(weights))
        mean = np.average(places, weights=weights)
        assert math.isclose(measured.sigma(weights), np.sqrt(np.average((places - mean) ** 2, weights=weights)))


@pytest.mark.parametrize("valley", [False, True])
def test_the_width_is_counted_as_it_is_defined(valley: bool) -> None:
    random = Random(valley)
    for _ in range(300):
        weights, share = exercise_07._draw_width(random, valley)
        (high,) = np.nonzero(np.array(weights) >= share * max(weights))
        assert measured.height_width(weights, share) == high[-1] - high[0] + 1
        single = torch.tensor(weights, dtype=torch.float32)
        found = (single / single.sum() >= share * (single / single.sum()).max()).nonzero().flatten()
        assert measured.height_width(weights, share) == int(found[-1] - found[0]) + 1


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_the_exponent_is_that_of_numpy(noise: float) -> None:
    random = Random(int(10 * noise))
    for _ in range(300):
        depths, widths = exercise_07._draw_law(random, noise)
        assert math.isclose(
            measured.exponent(depths, widths), np.polyfit(np.log(depths), np.log(widths), 1)[0], rel_tol=1e-8
        )


@pytest.mark.parametrize("task", [*catalog.exercise("05")[:3], *catalog.exercise("07")], ids=lambda task: task.id)
def test_who_follows_a_known_wrong_rule_is_told_so(task: Written) -> None:
    drawn = task.draw("named")
    for rule in task.rules:
        answers = [[{"answer": task.ruled(rule, given)} for given in inputs] for inputs in drawn]
        told = [
            verdict.fault.rule.sentence
            for verdict in task.judge(drawn, answers)
            if verdict.fault and verdict.fault.rule
        ]
        assert rule.sentence in told
