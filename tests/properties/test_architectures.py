"""Small realistic networks: what each unit of each output reads, against poking."""

from __future__ import annotations

import numpy as np
import pytest
from architectures import ARCHITECTURES, build

from properties.comparing import analysis_of, differences_of, layers, masks_of
from properties.truth import Truth

# What is switched off by a constant counts as read, and places computed from data count as read everywhere: there the
# answer holds what poking shows and more, and a note says why.
MORE_IS_SAID = {
    "swin_shifted": "constant mask",
    "conv_gru": "",  # the state before the first step is a constant 0, and multiplies
    "pool_and_unpool": "places from data",
    "grid_sampler": "places from data",
}
# Followed along the path that the values take: another input takes another.
PATH_OF_VALUES = {"argmax_crop", "early_exit"}


@pytest.mark.parametrize("name", sorted(set(ARCHITECTURES) - set(MORE_IS_SAID) - PATH_OF_VALUES))
def test_masks_are_what_poking_shows(name: str) -> None:
    model, inputs = build(name)
    shapes = tuple(tuple(x.shape) for x in inputs)
    model = model.double()
    wrong = differences_of(model, shapes, analysis_of(model, shapes))
    assert not wrong, "\n".join([*wrong[:8], f"{len(wrong)} in all"])


@pytest.mark.parametrize("name", sorted(MORE_IS_SAID))
def test_masks_hold_what_poking_shows(name: str) -> None:
    model, inputs = build(name)
    shapes = tuple(tuple(x.shape) for x in inputs)
    model = model.double()
    analysis = analysis_of(model, shapes)
    assert any(MORE_IS_SAID[name] in note for note in analysis.notes) or not MORE_IS_SAID[name]
    more = False
    for k in range(len(shapes)):
        truth = Truth(model, shapes, k)
        truth.look(6)
        for key, layer in layers(analysis, every=False).items():
            said, seen = masks_of(layer.of(k)), truth.masks(*key, layer.unit_dims)
            assert np.array_equal(said | seen, said)
            more |= bool((said & ~seen).any())
    assert more, f"{name} is exact by now: take it off the list"


@pytest.mark.parametrize("name", sorted(PATH_OF_VALUES))
def test_a_path_that_depends_on_values_is_said_to(name: str) -> None:
    model, inputs = build(name)
    analysis = analysis_of(model.double(), tuple(tuple(x.shape) for x in inputs))
    assert any("values in Python" in note for note in analysis.notes)
