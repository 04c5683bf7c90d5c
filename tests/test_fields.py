"""The pictures of effective fields show the numbers of their results."""

import numpy as np
import pytest
import torch
from torch import nn

import rflib as rf
from rflib import experiments
from rflib.errors import ModelError


def uniform(axes: int) -> rf.EffectiveReceptiveField:
    kind = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[axes]
    model = nn.Sequential(kind(1, 1, 3, bias=False), kind(1, 1, 3, bias=False))
    for weight in model.parameters():
        nn.init.constant_(weight, 1.0)
    return rf.effective_receptive_field(model, torch.ones(1, 1, *(9,) * axes), progress=False)


def test_the_map_is_the_picture() -> None:
    erf = uniform(2)
    drawing = rf.draw_effective(erf)
    (image,) = drawing.figure.axes[0].images
    assert np.array_equal(image.get_array(), erf.map)
    assert "(1.15, 1.15)" in drawing.alt  # the square root of two layers' (9 - 1) / 12


def test_two_standard_deviations_are_marked_on_one_axis() -> None:
    erf = uniform(1)
    lines = rf.draw_effective(erf).figure.axes[0].lines
    assert [line.get_xdata()[0] for line in lines] == [erf.center[0] + side * erf.sigma[0] for side in (-2, 2)]


def test_three_axes_are_refused() -> None:
    with pytest.raises(ModelError, match="draws fields of one or two axes; this one has 3"):
        rf.draw_effective(uniform(3))


def test_training_has_a_line_for_each_seed_and_moment() -> None:
    result = experiments.watch_field("copy", 2, seeds=(0, 1), steps=(0, 60), progress=False)
    drawing = rf.draw_field_in_training(result)
    lines = drawing.figure.axes[0].lines
    shown = [tuple(line.get_ydata()) for line in lines if len(line.get_xdata()) == len(result.offsets)]
    assert shown == [s.shares for s in (*result.before, *result.after)]
    assert [line.get_xdata()[0] for line in lines[len(shown) :]] == list(result.marks)
    assert drawing.alt == result.finding
