"""Stripes that come out, against counting sign changes and against the known response of each filter."""

from __future__ import annotations

import math

import pytest
import torch

from rflib.errors import ModelError, UnknownNameError
from rflib.experiments.aliasing import SUBSAMPLERS, draw_stripes, draw_zone_plate, subsample_stripes

LENGTH = 64
LINEAR = {"every second": 0, "average pool": 1, "blur": 2}  # how often neighbors are averaged


def upward(row: torch.Tensor) -> int:
    """How often a periodic row goes from below its mean to above it: its stripes, counted without Fourier."""
    above = row > row.mean()
    return int((above & ~above.roll(1)).sum())


@pytest.mark.parametrize("stripes", [1, 5, 10, 15, 17, 20, 24, 29, 31])
@pytest.mark.parametrize("name", LINEAR)
def test_what_comes_out_of_a_linear_subsampler(name: str, stripes: int) -> None:
    [run] = subsample_stripes([stripes], [name]).runs
    assert run.seen == min(stripes, LENGTH // 2 - stripes)
    assert run.strength == pytest.approx(abs(math.cos(math.pi * stripes / LENGTH)) ** LINEAR[name])


@pytest.mark.parametrize("stripes", [3, 13, 19, 24, 28])
@pytest.mark.parametrize("name", LINEAR)
def test_the_stripes_can_be_counted_in_the_output(name: str, stripes: int) -> None:
    output = SUBSAMPLERS[name]()(draw_stripes(stripes, LENGTH, LENGTH + 8))[0, 0, 0, : LENGTH // 2]
    [run] = subsample_stripes([stripes], [name]).runs
    assert upward(output) == run.seen


def test_a_blur_weakens_false_stripes_behind_a_max_pool() -> None:
    result = subsample_stripes(range(17, 32))
    for stripes in range(17, 32):
        assert result.strength("blurred max pool", stripes) <= result.strength("max pool", stripes) + 1e-12
    assert "at most 16 stripes" in result.finding
    assert "strongest with 'every second' (1.00)" in result.finding
    assert len(result.table()[1]) == len(result.runs) == 15 * len(SUBSAMPLERS)


def test_flat_output_shows_no_stripes() -> None:
    [run] = subsample_stripes([32], ["average pool"]).runs
    assert (run.seen, run.strength < 1e-9) == (0, True)


def test_every_subsampler_halves_both_axes() -> None:
    for name, make in SUBSAMPLERS.items():
        height, width = make()(torch.rand(1, 1, 32, 48)).shape[2:]
        assert (height, width) in {(16, 24), (15, 23)}, name  # a blur without padding loses one unit


def test_the_rings_of_a_zone_plate_end_at_two_pixels() -> None:
    middle = draw_zone_plate(64)[0, 0, 32]
    assert middle[32] == 1
    assert torch.equal(torch.sign(middle[:6]), torch.tensor([1.0, -1, 1, -1, 1, -1], dtype=torch.float64))
    assert torch.equal(draw_zone_plate(64)[0, 0], draw_zone_plate(64)[0, 0].T)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="'max pool'"):
        subsample_stripes([3], ["max pol"])
    with pytest.raises(ModelError, match=r"`length` must be even, since every second column stays; got 63\."):
        subsample_stripes([3], length=63)
    with pytest.raises(ModelError, match=r"`stripes` must be at most 32, two pixels for each; got 33\."):
        subsample_stripes([33])
    with pytest.raises(ModelError, match="`stripes`"):
        subsample_stripes([0])
