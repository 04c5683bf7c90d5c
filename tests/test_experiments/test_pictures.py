"""Digits, mosaics, stereo pairs and shifts."""

from __future__ import annotations

import pytest
import torch
from sklearn.datasets import load_digits

from rflib.errors import ModelError
from rflib.experiments import (
    SUBSAMPLINGS,
    draw_mosaics,
    draw_scenes,
    draw_stereo_pairs,
    label_mosaics,
    match_stereo,
    shift_inputs,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def blocks(pictures: torch.Tensor, side: int) -> list[torch.Tensor]:
    return [
        picture[y : y + side, x : x + side]
        for picture in pictures
        for y in range(0, picture.shape[0], side)
        for x in range(0, picture.shape[1], side)
    ]


def test_a_mosaic_is_made_of_real_digits_and_their_labels() -> None:
    digits = load_digits()
    known = {image.tobytes(): int(label) for image, label in zip(digits.images, digits.target, strict=True)}
    images, labels = draw_mosaics(generator(), 3, "test")
    assert images.shape == (3, 1, 32, 32)
    assert labels.shape == (3, 32, 32)
    for block, truth in zip(blocks(images[:, 0] * 16, 8), blocks(labels, 8), strict=True):
        assert truth.unique().numel() == 1
        assert known[block.double().numpy().tobytes()] == int(truth[0, 0])


def test_no_digit_is_in_both_splits() -> None:
    def seen(split: str) -> set[bytes]:
        return {block.numpy().tobytes() for block in blocks(draw_mosaics(generator(), 200, split)[0][:, 0], 8)}

    train, test = seen("train"), seen("test")
    assert len(train) > 1000
    assert 350 < len(test) <= 397
    assert not train & test


def test_a_scene_without_noise_is_its_labels() -> None:
    images, labels = draw_scenes(generator(), 8, "train", 56, noise=0.0)
    assert images.shape == (8, 1, 56, 56)
    assert torch.equal(images[:, 0], (labels > 0).float())
    assert int(labels.max()) <= 10
    cells = blocks(labels, 28)
    assert all(cell.unique().numel() <= 2 for cell in cells)  # background and one class
    empty = sum(bool((cell == 0).all()) for cell in cells)
    assert 0 < empty < len(cells) / 2
    ink = [cell.nonzero() for cell in cells if (cell > 0).any()]
    assert max(int(i.max()) for i in ink) <= 27
    assert max(int((i.max(0).values - i.min(0).values).max()) for i in ink) < 24


def test_noise_has_the_size_it_is_said_to_have() -> None:
    images, labels = draw_scenes(generator(), 16, "train", 56, noise=0.4)
    noise = images[:, 0] - (labels > 0).float()
    assert float(noise.std()) == pytest.approx(0.4, rel=0.02)
    assert abs(float(noise.mean())) < 0.01


def test_a_larger_field_labels_a_mosaic_better() -> None:
    result = label_mosaics((3, 15), steps=150, progress=False)
    (small,), (large,) = result.accuracies(3), result.accuracies(15)
    assert small < 0.3
    assert large > small + 0.15
    assert result.table()[1][1][:3] == [15, 7, 0]
    assert set(sum(result.runs[0].prediction, ())) <= set(range(10))


def test_the_right_image_is_the_left_one_moved() -> None:
    pairs, disparities = draw_stereo_pairs(generator(), 26, (4, 20), largest=12, noise=0.0)
    assert sorted(disparities.tolist()) == sorted(list(range(13)) * 2)
    for (left, right), d in zip(pairs, disparities.tolist(), strict=True):
        assert torch.equal(left[:, d:], right[:, : 20 - d])


def test_noise_flips_that_share_of_the_right_image() -> None:
    pairs, disparities = draw_stereo_pairs(generator(), 400, (4, 20), largest=1, noise=0.25)
    left, right = pairs[disparities == 0].unbind(1)
    assert float((left != right).float().mean()) == pytest.approx(0.25, abs=0.02)


def test_stereo_ends_where_the_match_leaves_the_window() -> None:
    result = match_stereo((5,), largest=8, noise=0.0, steps=250, progress=False)
    (run,) = result.runs
    assert run.field == 5
    assert min(run.accuracy[:3]) > 0.8
    # No unit sees the match at 5, 6, 7 or 8, so nothing beats always naming the same one of the four.
    assert run.beyond == run.accuracy[5:]
    assert sum(run.beyond) / 4 < 0.25 + 0.05


def test_a_stereo_network_may_have_other_kernels() -> None:
    deep, wide = match_stereo((5,), stacks=[(5,)], largest=2, steps=1, channels=4, progress=False).runs
    assert (deep.kernels, wide.kernels) == ((3, 3), (5,))
    assert deep.field == wide.field == 5
    # From 2 channels to 4, then 4 to 4: weights, biases, and two numbers a channel of batch norm; the rest is the same.
    assert deep.parameters - wide.parameters == (3 * 2 * 4 + 12) + (3 * 4 * 4 + 12) - (5 * 2 * 4 + 12)


@pytest.mark.parametrize(("fields", "stacks"), [((4,), ()), ((), [(3, 4)]), ((), [()])])
def test_a_stereo_window_without_a_middle_is_refused(fields: tuple[int, ...], stacks: list[tuple[int, ...]]) -> None:
    with pytest.raises(ModelError, match="odd"):
        match_stereo(fields, stacks=stacks, progress=False)


@pytest.mark.parametrize("name", SUBSAMPLINGS)
def test_outputs_follow_shifts_by_the_stride_and_no_others(name: str) -> None:
    result = shift_inputs([name], shifts=range(5), seeds=(0, 1), progress=False)
    strides = {"none": 1, "two max pools": 4}
    for run in result.runs:
        assert run.stride == strides.get(name, 2)
        for shift, change in zip(result.shifts, run.changes, strict=True):
            if shift % run.stride == 0:
                assert change < 1e-9
            else:
                assert change > 0.05


def test_fields_and_strides_of_the_shift_test() -> None:
    result = shift_inputs(seeds=(0,), shifts=(1,), progress=False)
    assert {run.subsampling: run.field for run in result.runs} == {
        "none": 9,
        "max pool": 14,
        "average pool": 14,
        "blurred max pool": 16,
        "stride": 13,
        "two max pools": 26,
    }
    assert "differs by at most 0.000" in result.finding
