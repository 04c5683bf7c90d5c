"""Which dimensions of a tensor are space: by hand on the reshapes that networks use, and against index numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from random import Random

import pytest
import torch
from torch import Tensor

from rflib.graph import sets
from rflib.graph.relations import Blocks, Everything, Separable, Taps, same
from rflib.graph.roles import CHANNEL, NEUTRAL, Axis, Role, combine, reads_whole, through
from rflib.graph.views import Digits, Turned, factor
from rflib.tracing.gather import Gather

H: Axis = (0, 0)
W: Axis = (0, 1)
ROW, COLUMN = Role(frozenset({H}), leads=True), Role(frozenset({W}), leads=True)
IMAGE = (NEUTRAL, CHANNEL, ROW, COLUMN)
SHAPE = (1, 4, 6, 8)  # (batch, channels, H, W)


def view_of(view: Tensor, base: Tensor) -> Digits:
    found = factor(view.shape, view.stride(), view.storage_offset(), base.shape, base.stride())
    assert found is not None
    return Digits(*found, tuple(view.shape), tuple(base.shape))


def plain(roles: Iterable[Role | None]) -> list[Role | None]:
    """What the dimensions stand for, without the record of what they were made of."""
    return [r and Role(r.coarse, r.fine, r.channel, r.leads) for r in roles]


def image() -> Tensor:
    return torch.arange(math.prod(SHAPE)).reshape(SHAPE)


# --- what a role is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "spatial"),
    [
        (NEUTRAL, False),
        (CHANNEL, False),
        (ROW, True),
        (Role(fine=frozenset({H})), True),  # the positions inside a window, alone
        (Role(fine=frozenset({H}), channel=True), False),  # space to depth: with channels they are channels
        (Role(frozenset({H}), channel=True, leads=True), True),  # channels behind a position do not hide it
        (Role(frozenset({H}), channel=True), False),  # flattened features: channels lead
    ],
)
def test_what_is_space(role: Role, spatial: bool) -> None:
    assert role.spatial is spatial


def test_joining_two_operands() -> None:
    assert ROW.joined(ROW) is ROW
    assert ROW.joined(NEUTRAL) is ROW
    assert NEUTRAL.joined(ROW) is ROW
    assert ROW.joined(COLUMN) == Role(frozenset({H, W}), leads=True)
    assert CHANNEL.joined(ROW) == ROW  # a constant along space, or channels broadcast: the position decides
    assert ROW.joined(CHANNEL) == ROW
    assert Role(fine=frozenset({H})).joined(ROW) == Role(frozenset({H}), frozenset({H}), leads=True)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], NEUTRAL),
        ([(4, NEUTRAL, 0)], NEUTRAL),
        ([(6, ROW, 0), (8, COLUMN, 0)], Role(frozenset({H, W}), leads=True)),  # tokens
        ([(4, CHANNEL, 0), (6, ROW, 0)], Role(frozenset({H}), channel=True)),  # flattened features
        ([(6, ROW, 0), (4, CHANNEL, 0)], Role(frozenset({H}), channel=True, leads=True)),
        ([(1, NEUTRAL, 0), (6, ROW, 0)], ROW),  # the batch in front changes nothing
        ([(2, ROW, 1)], Role(fine=frozenset({H}))),
        ([(2, ROW, 1), (3, ROW, 0)], Role(frozenset({H}), frozenset({H}))),  # the fast part in front
        ([(4, CHANNEL, 0), (2, ROW, 1)], Role(fine=frozenset({H}), channel=True)),
    ],
)
def test_factors_make_a_dimension(parts: list[tuple[int, Role, int]], expected: Role) -> None:
    assert plain([combine(parts)]) == [expected]


# --- the reshapes of networks ----------------------------------------------------------------------------------------


def test_channels_last() -> None:
    assert plain(through(view_of(image().permute(0, 2, 3, 1), image()), IMAGE)) == [NEUTRAL, ROW, COLUMN, CHANNEL]


def test_tokens_of_a_vision_transformer() -> None:
    x = image()
    found = through(view_of(x.flatten(2).transpose(1, 2), x), IMAGE)
    assert plain(found) == [NEUTRAL, Role(frozenset({H, W}), leads=True), CHANNEL]


def test_features_of_a_classifier_are_no_space() -> None:
    found = through(view_of(image().flatten(1), image()), IMAGE)
    assert plain(found) == [NEUTRAL, Role(frozenset({H, W}), channel=True)]
    assert not found[1].spatial


def test_space_to_depth_keeps_the_coarse_position_as_space() -> None:
    x = image()
    split = x.view(1, 4, 3, 2, 4, 2).permute(0, 1, 3, 5, 2, 4)  # (batch, channels, fine H, fine W, H/2, W/2)
    roles = through(view_of(split, x), IMAGE)
    fine_row, fine_column = Role(fine=frozenset({H})), Role(fine=frozenset({W}))
    assert plain(roles) == [NEUTRAL, CHANNEL, fine_row, fine_column, ROW, COLUMN]
    # A reshape copies, so the second step is a view of the copy.
    copy = split.contiguous()
    merged = through(view_of(copy.view(1, 16, 3, 4), copy), tuple(r or CHANNEL for r in roles))
    assert plain(merged) == [NEUTRAL, Role(fine=frozenset({H, W}), channel=True), ROW, COLUMN]
    assert [r.spatial for r in merged if r] == [False, False, True, True]


def test_windows_of_attention_have_windows_and_positions_inside() -> None:
    x = image()
    split = x.view(1, 4, 3, 2, 4, 2).permute(0, 2, 4, 3, 5, 1)  # (batch, H/2, W/2, 2, 2, channels)
    roles = tuple(r or CHANNEL for r in through(view_of(split, x), IMAGE))
    copy = split.contiguous()
    found = through(view_of(copy.view(12, 4, 4), copy), roles)
    assert plain(found) == [Role(frozenset({H, W}), leads=True), Role(fine=frozenset({H, W})), CHANNEL]
    assert [r.spatial for r in found if r] == [True, True, False]


def test_writing_through_a_view_is_the_way_back() -> None:
    x = image()
    view = view_of(x.permute(0, 2, 3, 1), x)
    assert plain(through(Turned(view), (NEUTRAL, ROW, COLUMN, CHANNEL))) == list(IMAGE)


def test_dimensions_of_length_one_keep_their_role() -> None:
    """A map that has shrunk to one row has no digit for it, and the row is still space."""
    base = torch.arange(32).reshape(1, 4, 1, 8)
    assert plain(through(view_of(base[..., ::2], base), IMAGE)) == list(IMAGE)
    taken = through(view_of(base[:, :, 0], base), IMAGE)
    assert plain(taken) == [NEUTRAL, CHANNEL, COLUMN]


def test_an_expanded_dimension_has_no_role_of_its_own() -> None:
    base = torch.arange(8).reshape(1, 8)
    found = through(view_of(base.expand(3, 8), base), (NEUTRAL, ROW))
    assert plain(found) == [None, ROW]


# --- operations that treat dimensions by themselves ------------------------------------------------------------------


def test_a_convolution_keeps_rows_and_columns() -> None:
    taps = Taps(2, -1, 1, 3, 6, 3), Taps(2, -1, 1, 3, 8, 4)
    relation = Separable(((0, same(1)), (1, Blocks(1, 5, 4)), (2, taps[0]), (3, taps[1])), (1, 5, 3, 4), SHAPE)
    assert plain(through(relation, IMAGE)) == list(IMAGE)
    assert reads_whole(relation, IMAGE) == frozenset()


def test_what_a_result_does_not_take_from_an_operand_is_none() -> None:
    """The mean over H, kept apart from an outer dimension that the operand does not have."""
    full = sets.interval(0, 5)
    relation = Separable(((0, same(1)), (1, same(4)), (None, full), (3, same(8))), (1, 4, 7, 8), SHAPE)
    assert plain(through(relation, IMAGE)) == [NEUTRAL, CHANNEL, None, COLUMN]


def test_two_dimensions_of_an_operand_on_one_of_the_result_share_it() -> None:
    relation = Separable(((0, Everything(6, 6)), (0, same(6))), (6,), (6, 6))
    assert plain(through(relation, (ROW, COLUMN))) == [Role(frozenset({H, W}), leads=True)]


@pytest.mark.parametrize("kept", [False, True])
def test_global_operations_read_whole_axes(kept: bool) -> None:
    """Pooling over H and softmax along W: both, whether or not the dimension is kept."""
    over_h: tuple[int, Everything] | tuple[None, sets.Set] = (2, Everything(6)) if kept else (None, sets.interval(0, 5))
    relation = Separable(((0, same(1)), (1, same(4)), over_h, (3, Everything(8, 8))), (1, 4, 1, 8), SHAPE)
    assert reads_whole(relation, IMAGE) == {H, W}
    assert reads_whole(relation, (NEUTRAL, ROW, CHANNEL, CHANNEL)) == frozenset()  # channels are no space


def test_a_part_of_an_axis_is_not_the_whole_axis() -> None:
    dims = ((0, same(1)), (1, same(4)), (None, sets.interval(0, 4)), (3, same(8)))
    assert reads_whole(Separable(dims, (1, 4, 1, 8), SHAPE), IMAGE) == frozenset()
    lone = ((0, same(1)), (1, same(4)), (None, (0, 1)), (3, same(8)))  # select on an axis of length 1
    assert reads_whole(Separable(lone, (1, 4, 1, 8), (1, 4, 1, 8)), IMAGE) == frozenset()


def test_a_view_reads_no_axis_as_a_whole() -> None:
    assert reads_whole(view_of(image().flatten(1), image()), IMAGE) == frozenset()


# --- against index numbers -------------------------------------------------------------------------------------------


def carried(view: Tensor, dim: int) -> set[int]:
    """The dimensions of the image whose coordinate changes along a dimension of a view."""
    along = view.movedim(dim, 0).reshape(view.shape[dim], -1)
    found, rest = set(), along
    for j in reversed(range(len(SHAPE))):
        at, rest = rest % SHAPE[j], rest // SHAPE[j]
        if bool((at != at[0]).any()):
            found.add(j)
    return found


def reshaped(rng: Random) -> tuple[Tensor, Digits]:
    """The image split, permuted, and once merged where strides allow."""
    x = image()
    parts = [[n] for n in SHAPE]
    for j in (1, 2, 3):
        if rng.random() < 0.7:
            parts[j] = rng.choice([[SHAPE[j] // m, m] for m in (2, 3, 4) if SHAPE[j] % m == 0 and SHAPE[j] > m])
    sizes = list(itertools.chain(*parts))
    view = x.view(sizes).permute(rng.sample(range(len(sizes)), len(sizes)))
    for _ in range(2):
        d = rng.randrange(view.dim() - 1)
        try:
            view = view.view(*view.shape[:d], -1, *view.shape[d + 2 :])
        except RuntimeError:
            continue
    return view, view_of(view, x)


def test_the_roles_of_random_reshapes() -> None:
    """Each dimension carries the axes whose coordinate changes along it, and no other; one holds the coarse part."""
    for seed in range(300):
        view, digits = reshaped(Random(seed))
        roles = [r or NEUTRAL for r in through(digits, IMAGE)]
        for o, role in enumerate(roles):
            moving = carried(view, o)
            axes = {(0, j - 2) for j in moving if j >= 2}
            assert role.coarse | role.fine == axes, (seed, o)
            assert role.channel == (1 in moving), (seed, o)
        for axis in (H, W):
            assert sum(axis in role.coarse for role in roles) == 1, (seed, axis)


def test_digits_and_index_numbers_give_the_same_roles() -> None:
    for seed in range(300):
        view, digits = reshaped(Random(seed))
        by_numbers = through(Gather(view.contiguous(), SHAPE), IMAGE)
        by_digits = through(digits, IMAGE)
        for o, n in enumerate(view.shape):
            if n > 1:
                assert {*by_numbers[o].coarse} == {*by_digits[o].coarse}, (seed, o)
                assert by_numbers[o].fine == by_digits[o].fine, (seed, o)
                assert by_numbers[o].channel == by_digits[o].channel, (seed, o)
                assert by_numbers[o].spatial == by_digits[o].spatial, (seed, o)
