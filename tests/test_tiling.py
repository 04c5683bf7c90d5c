"""Tiled inference against whole-image inference, by running both."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import rflib as rf
from rflib import zoo
from rflib.errors import ModelError, NoSingleAnswerError, ReceptiveFieldError


def whole_numbers(model: nn.Module) -> nn.Module:
    """The model with small whole numbers for weights, so that float64 sums are exact in any order."""
    model = model.double().eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randint(-2, 3, p.shape, generator=generator))
        for m in model.modules():
            if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
                m.running_mean.zero_()
                m.running_var.fill_(1 - m.eps)
    return model


def image(*shape: int) -> Tensor:
    return torch.randint(-3, 4, shape, generator=torch.Generator().manual_seed(1)).double()


def by_hand(model: nn.Module, x: Tensor, tiling: rf.Tiling) -> Tensor:
    """What a user writes with the tiles; every position of the output is written exactly once."""
    with torch.no_grad():
        whole = model(x)
        result, times = torch.full_like(whole, torch.nan), torch.zeros_like(whole)
        for tile in tiling.tiles():
            result[..., *tile.output] = model(x[..., *tile.input])[..., *tile.keep]
            times[..., *tile.output] += 1
    assert bool((times == 1).all())
    return result


def is_planned(x: Tensor, tiling: rf.Tiling) -> bool:
    """Whether every tile lies on the grid, is no longer than asked, and begins where `overlap` says."""
    for a, n in enumerate(x.shape[2:]):
        cuts = sorted({(tile.input[a].start, tile.input[a].stop) for tile in tiling.tiles()})
        advance = tiling.tile[a] - tiling.overlap[a]
        assert cuts[0][0] == 0
        assert cuts[-1][1] <= n
        assert all(start % tiling.grid[a] == 0 and stop - start <= tiling.tile[a] for start, stop in cuts)
        steps = [later[0] - sooner[0] for sooner, later in pairwise(cuts)]
        assert all(step == advance for step in steps[:-1])
        assert all(step <= advance for step in steps[-1:])
    return True


# --- random stacks --------------------------------------------------------------------------------------------------


@st.composite
def layers(draw: st.DrawFn, axes: int) -> nn.Module:
    kind = draw(st.sampled_from(["conv"] * 4 + ["max", "average", "nearest", "transposed", "transposed by 3"]))
    if kind == "conv":
        k = draw(st.integers(1, 4))
        stride, dilation = draw(st.sampled_from([1, 1, 2, 3])), draw(st.sampled_from([1, 1, 2]))
        return getattr(nn, f"Conv{axes}d")(1, 1, k, stride, draw(st.integers(0, k - 1)), dilation)
    if kind == "max":
        stride, padding = draw(st.sampled_from([1, 2])), draw(st.sampled_from([0, 1]))
        return getattr(nn, f"MaxPool{axes}d")(2, stride, padding, ceil_mode=draw(st.booleans()))
    if kind == "average":
        return getattr(nn, f"AvgPool{axes}d")(2, 2)
    if kind == "nearest":
        return nn.Upsample(scale_factor=2)
    k, stride = (draw(st.sampled_from([2, 3, 4])), 2) if kind == "transposed" else (draw(st.sampled_from([2, 3])), 3)
    return getattr(nn, f"ConvTranspose{axes}d")(1, 1, k, stride, draw(st.sampled_from([0, 1])))


@st.composite
def questions(draw: st.DrawFn) -> tuple[nn.Module, Tensor, tuple[int, ...]]:
    axes = draw(st.sampled_from([1, 1, 1, 2]))
    model = nn.Sequential(*(draw(layers(axes)) for _ in range(draw(st.integers(1, 5)))))
    shape = [draw(st.integers(20, 60 if axes == 1 else 34)) for _ in range(axes)]
    return whole_numbers(model), image(1, 1, *shape), tuple(draw(st.integers(6, 30)) for _ in range(axes))


@settings(max_examples=80)
@given(questions())
def test_tiles_of_a_random_stack_are_the_whole(question: tuple[nn.Module, Tensor, tuple[int, ...]]) -> None:
    model, x, tile = question
    try:
        tiling = rf.analyze(model, x).tiling(tile)
    except ReceptiveFieldError as error:
        enough = re.search(r"on axis (\d).*A tile of (\d+) is enough", str(error))
        if enough is None:
            return
        longer = [max(n, int(enough[2])) if a == int(enough[1]) else 10**6 for a, n in enumerate(tile)]
        tiling = rf.analyze(model, x).tiling(longer)
    assert torch.equal(by_hand(model, x, tiling), model(x))
    assert is_planned(x, tiling)


def test_most_random_questions_have_an_answer() -> None:
    """Else the test above would test nothing."""
    answered = []

    @settings(max_examples=30, database=None)
    @given(questions())
    def ask(question: tuple[nn.Module, Tensor, tuple[int, ...]]) -> None:
        model, x, tile = question
        try:
            answered.append(len(rf.analyze(model, x).tiling(tile).tiles()) > 1)
        except ReceptiveFieldError:
            answered.append(False)

    ask()
    assert sum(answered) > len(answered) / 2


# --- networks -------------------------------------------------------------------------------------------------------


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 2, 3, 2, padding=1), nn.Conv2d(2, 2, 3, padding=1)
        self.shortcut, self.pool = nn.Conv2d(1, 2, 1, 2), nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(F.relu(self.b(F.relu(self.a(x))) + self.shortcut(x)))


class SmallUNet(nn.Module):
    def __init__(self, up: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.a, self.b, self.c = (nn.Conv2d(n, 2, 3, padding=1) for n in (1, 2, 4))
        self.up = up

    def forward(self, x: Tensor) -> Tensor:
        a = F.relu(self.a(x))
        return self.c(torch.cat([a, self.up(self.b(F.max_pool2d(a, 2)), a)], 1))


class Causal(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv1d(1, 1, 3, dilation=4), nn.Conv1d(1, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(F.pad(self.a(F.pad(x, (8, 0))), (1, 0))) + x


class CropThenPad(nn.Module):
    """What is cut off here is zero, not there: the window alone does not say so."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x[..., 2:-3], (2, 3)))


class StripPooling(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) + x.amax(3, keepdim=True)


def to_size(deep: Tensor, shallow: Tensor) -> Tensor:
    return F.interpolate(deep, size=shallow.shape[-2:])


def by_scale(deep: Tensor, shallow: Tensor) -> Tensor:
    return F.interpolate(deep, scale_factor=2, mode="bilinear")


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int | tuple[int, ...]]] = {
    "residual block": (Residual, (1, 1, 40, 44), 24),
    "residual block, odd": (Residual, (2, 1, 41, 47), (19, 22)),
    "U-Net, nearest": (lambda: zoo.unet(1 / 64, 2, up="nearest"), (1, 1, 64, 96), (64, 72)),
    "U-Net, transposed": (lambda: zoo.unet(1 / 64, 2), (2, 1, 96, 64), (60, 60)),
    "U-Net, unpadded": (lambda: zoo.unet(1 / 64, 2, padding=0), (1, 1, 92, 104), 68),
    "U-Net, to the size of the skip": (lambda: SmallUNet(to_size), (1, 1, 32, 40), 16),
    "U-Net, bilinear": (lambda: SmallUNet(by_scale), (1, 1, 32, 40), 18),
    "ResNet-18": (lambda: zoo.resnet18(1 / 64, 0), (1, 3, 576, 32), (480, 32)),
    "TF-Slim's padding": (lambda: nn.Sequential(*zoo.mobilenet_v1(1 / 32, 0)[:5]), (1, 3, 64, 48), 32),
    "causal, dilated": (Causal, (1, 1, 50), 16),
    "cropped, then padded": (CropThenPad, (1, 1, 40), 12),
    "sub-pixel": (
        lambda: nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.PixelShuffle(2), nn.Conv2d(1, 1, 3)),
        *((1, 1, 20, 22), 9),
    ),
    "reflected": (lambda: nn.Conv2d(1, 1, 5, padding=2, padding_mode="reflect"), (1, 1, 32, 31), 16),
    "replicated": (
        lambda: nn.Sequential(nn.Conv2d(1, 1, 5, padding=2, padding_mode="replicate"), nn.MaxPool2d(2)),
        *((1, 1, 33, 32), 15),
    ),
    "batch norm": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Conv2d(2, 1, 2, 2)),
        *((1, 1, 32, 31), 15),
    ),
    "three axes": (
        lambda: nn.Sequential(nn.Conv3d(1, 1, 3, 2, 1), nn.Upsample(scale_factor=2)),
        *((1, 1, 14, 16, 18), (8, 10, 40)),
    ),
    "scale 1.5": (lambda: nn.Upsample(scale_factor=1.5), (1, 1, 32, 33), 16),
    "one axis only": (StripPooling, (1, 1, 32, 30), (16, 30)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_tiles_of_a_network_are_the_whole_bit_for_bit(name: str) -> None:
    make, shape, tile = NETWORKS[name]
    model, x = whole_numbers(make()), image(*shape)
    tiling = rf.analyze(model, x).tiling(tile)
    assert len(tiling.tiles()) > 1
    assert torch.equal(by_hand(model, x, tiling), model(x))
    assert torch.equal(tiling.run(model, x), model(x))
    assert is_planned(x, tiling)


@pytest.mark.parametrize("name", ["residual block", "U-Net, transposed", "U-Net, bilinear", "causal, dilated"])
def test_in_float32_tiles_are_the_whole_within_rounding(name: str) -> None:
    make, shape, tile = NETWORKS[name]
    torch.manual_seed(0)
    model, x = make().eval(), torch.rand(shape)
    with torch.no_grad():
        whole = model(x)
    tiling = rf.analyze(model, x).tiling(tile)
    torch.testing.assert_close(tiling.run(model, x), whole, rtol=1e-4, atol=1e-5 * float(whole.abs().max()))


def test_with_a_smaller_overlap_tiles_are_not_the_whole() -> None:
    """The overlap is needed: a unit kept from one position nearer to the tile's border is another one."""
    model, x = nn.Sequential(nn.Conv1d(1, 1, 5, padding=2), nn.Conv1d(1, 1, 3, padding=1)).double(), image(1, 1, 40)
    for p in model.parameters():
        nn.init.ones_(p)
    tiling = rf.analyze(model, x).tiling(16)
    assert tiling.overlap == (6,)
    first = tiling.tiles()[0]
    piece, whole = model(x[..., *first.input]), model(x)
    stop = first.keep[0].stop
    assert torch.equal(piece[..., :stop], whole[..., :stop])
    assert not torch.equal(piece[..., : stop + 1], whole[..., : stop + 1])


def test_off_the_grid_tiles_are_not_the_whole() -> None:
    model, x = whole_numbers(nn.Sequential(nn.Conv1d(1, 1, 3, 2, 1), nn.MaxPool1d(2))), image(1, 1, 64)
    tiling = rf.analyze(model, x).tiling(16)
    assert tiling.grid == (4,)
    second = tiling.tiles()[1]
    start, stop = second.input[0].start, second.input[0].stop
    kept = model(x)[..., *second.output]
    assert torch.equal(model(x[..., start:stop])[..., *second.keep], kept)
    assert not torch.equal(model(x[..., start + 1 : stop + 1])[..., *second.keep], kept)


def test_axes_may_change_places() -> None:
    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(2, 3, 3, stride=2, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x.permute(0, 3, 1, 2)).permute(0, 3, 2, 1)  # (B, H, W, C) -> (B, W, H, C)

    model, x = whole_numbers(Turned()), image(1, 30, 41, 2)
    tiling = rf.analyze(model, x, spatial=(1, 2)).tiling((13, 9))
    assert len(tiling.tiles()) > 1
    assert torch.equal(tiling.run(model, x), model(x))


def test_a_tile_as_large_as_the_image_is_the_image() -> None:
    model, x = whole_numbers(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.AdaptiveAvgPool2d(1))), image(1, 1, 20, 24)
    tiling = rf.analyze(model, x).tiling(24)
    (tile,) = tiling.tiles()
    assert tile.input == (slice(0, 20), slice(0, 24))
    assert (tiling.overlap, tiling.grid) == ((0, 0), (1, 1))
    assert torch.equal(tiling.run(model, x), model(x))


def test_another_batch_and_other_weights_fit_the_same_tiling() -> None:
    tiling = rf.analyze(nn.Conv2d(1, 1, 3, padding=1), input_size=(1, 1, 20, 20)).tiling(12)
    model, x = whole_numbers(nn.Conv2d(1, 4, 3, padding=1)), image(5, 1, 20, 20)
    assert torch.equal(tiling.run(model, x), model(x))


def test_gates_left_out_the_convolutions_can_be_tiled() -> None:
    model = zoo.efficientnet_like(1 / 32, 0)
    analysis = rf.analyze(nn.Sequential(*model.features[:3]), input_size=(1, 3, 96, 96))
    with pytest.raises(NoSingleAnswerError):
        analysis.tiling(64)
    assert analysis.local.tiling(64).grid == (4, 4)


def test_the_model_and_the_image_are_left_as_found() -> None:
    model, x = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).train(), torch.rand(1, 1, 20, 20)
    before, values = {k: v.clone() for k, v in model.state_dict().items()}, x.clone()
    rf.analyze(model, x).tiling(12)
    assert model.training
    assert torch.equal(x, values)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


# --- what cannot be tiled -------------------------------------------------------------------------------------------


class Apply(nn.Module):
    def __init__(self, function: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> object:
        return self.function(x)


WHOLE = (
    "Axis 0 cannot be tiled: some operation reads the whole input, so a tile's output differs from the image's. "
    "Tile the part of the model before that operation."
)
NO_STRIDE = (
    "Axis 0 cannot be tiled: the windows of the output's units do not move by one stride from unit to unit. "
    "Tile a part of the model for which found.stride is a number."
)
SIZED = (
    " on a tile of 16 positions than on the image of 32 (axis 0): its output size or its padding depends on the "
    "input's size. Tiles that differ from the image by a multiple of {} may fit; a layer of fixed output size cannot "
    "be tiled."
)
WRAPPED = "across the tile's border. Circular padding and rolling cannot be tiled."
IMPOSSIBLE: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "group norm": (lambda: nn.GroupNorm(1, 1), WHOLE),
    "global pooling": (lambda: nn.AdaptiveAvgPool2d(1), WHOLE),
    "flattened": (nn.Flatten, NO_STRIDE),
    "flipped": (lambda: Apply(lambda x: x.flip(2)), NO_STRIDE),
    "fixed size": (
        lambda: nn.Upsample(size=(64, 64)),
        "'upsample_nearest2d' (upsample_nearest2d) has other windows" + SIZED.format(1),
    ),
    "adaptive pooling": (
        lambda: nn.AdaptiveAvgPool2d(8),
        "'_adaptive_avg_pool2d' (_adaptive_avg_pool2d) has other windows" + SIZED.format(4),
    ),
    "circular": (
        lambda: nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"),
        "Axis 0 cannot be tiled: at the border unit 0 reads positions 0 to 31, " + WRAPPED,
    ),
    "rolled": (
        lambda: Apply(lambda x: x.roll(3, 2)),
        "Axis 0 cannot be tiled: at the border unit 0 reads positions 29 to 29, " + WRAPPED,
    ),
    "coordinates": (
        lambda: Apply(lambda x: x + torch.linspace(-1, 1, x.shape[-1])),
        "The model cannot be tiled: a constant of shape (32,), which grows with the image and differs from place to "
        "place, takes part in 'add', so a tile would get other values than the image does. Tile the parts of the model "
        "before and after it.",
    ),
    "another way": (
        lambda: Apply(lambda x: x * 2 if x.shape[-1] > 20 else x + x.roll(1, 1)),
        "The model takes another way through its operations on a tile of (16, 16) positions than on the image of "
        "(32, 32). Tiles whose lengths are multiples of (1, 1) may fit.",
    ),
    "several outputs": (
        lambda: Apply(lambda x: (x, x + 1)),
        "The output of the model is 2 tensors ('0', '1'). Ask analysis.outputs[name].",
    ),
    "field larger than the tile": (
        lambda: nn.Sequential(nn.Conv2d(1, 1, 9, 2, 4), nn.Conv2d(1, 1, 5, padding=2)),
        "A tile of 16 positions on axis 0 is too small: too few of its units see nothing beyond its border, and tiles "
        "begin at multiples of 2. A tile of 18 is enough.",
    ),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_cannot_be_tiled_says_so(name: str) -> None:
    make, message = IMPOSSIBLE[name]
    with pytest.raises(ReceptiveFieldError) as caught:
        rf.analyze(make(), input_size=(1, 1, 32, 32)).tiling(16)
    assert str(caught.value) == message


def test_padding_that_depends_on_the_length_asks_for_another_tile() -> None:
    analysis = rf.analyze(nn.Sequential(*zoo.mobilenet_v1(1 / 32, 0)[:3]), input_size=(1, 3, 64, 64))
    with pytest.raises(
        NoSingleAnswerError, match=r"'0.0' \(constant_pad_nd\) has other windows on a tile of 33 positions"
    ):
        analysis.tiling(33)
    assert analysis.tiling(34).grid == (2, 2)


def test_a_tile_that_the_model_cannot_take_passes_the_cause_on() -> None:
    analysis = rf.analyze(nn.Sequential(nn.Conv2d(1, 1, 9)), input_size=(1, 1, 32, 32))
    with pytest.raises(ModelError) as caught:
        analysis.tiling((5, 20))
    assert str(caught.value) == (
        "The model cannot run on a tile of (5, 20) positions; larger ones, or multiples of (1, 1), may fit. "
        "Layer '0' (Conv2d) cannot take an input of shape (1, 1, 5, 20): Calculated padded input size per channel: "
        "(5 x 20). Kernel size: (9 x 9). Kernel size can't be greater than actual input size. Check the input size and "
        "the number of channels that reach it."
    )


@pytest.mark.parametrize("tile", [0, -3, "16", 2.5, True, None, (16,), (16, 16, 16), (16, 0)])
def test_a_tile_is_a_whole_number_or_one_an_axis(tile: object) -> None:
    analysis = rf.analyze(nn.Conv2d(1, 1, 3), input_size=(1, 1, 32, 32))
    with pytest.raises(ModelError) as caught:
        analysis.tiling(tile)  # type: ignore[arg-type]
    assert str(caught.value) == f"`tile` must be a whole number >= 1, or 2 of them, one an axis; got {tile!r}."


def test_running_on_another_image_is_refused() -> None:
    model = nn.Conv2d(1, 1, 3)
    tiling = rf.analyze(model, input_size=(1, 1, 32, 32)).tiling(16)
    with pytest.raises(ModelError) as caught:
        tiling.run(model, torch.rand(1, 1, 32, 31))
    assert str(caught.value) == "This tiling was planned for a spatial shape of (32, 32); got (32, 31)."
    with pytest.raises(ModelError, match="which is too small"):
        tiling.run(nn.Conv2d(1, 1, 9), torch.rand(1, 1, 32, 32))
