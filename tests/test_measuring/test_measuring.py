"""Poking against truths derived by hand, by sets of positions, and by a naive poker that knows no shortcut."""

from __future__ import annotations

import copy
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rflib.errors import ModelError, NoSingleAnswerError, UnitError, UnknownNameError
from rflib.measuring.measuring import Measured, measure, measure_projections


class Function(nn.Module):
    """A module from a function."""

    def __init__(self, function, **children):
        super().__init__()
        self.function = function
        for name, child in children.items():
            setattr(self, name, child)

    def forward(self, *args, **kwargs):
        if list(self.children()):
            return self.function(self, *args, **kwargs)
        return self.function(*args, **kwargs)


def found(model, shape, **options) -> Measured:
    return measure(model, shape, progress=False, **options)


def reads(model, shape, unit=None, **options) -> set:
    """The positions read, as a set: numbers on one axis, else tuples."""
    mask = found(model, shape, unit=unit, **options).mask
    places = {tuple(int(i) for i in p) for p in np.argwhere(mask)}
    return {p[0] for p in places} if mask.ndim == 1 else places


# --- oracles ----------------------------------------------------------------------------------------------------------


def windows(n, kernel, stride=1, padding=0, dilation=1, outputs=None):
    """For each unit of a convolution or pooling on one axis, the positions it reads of n."""
    outputs = outputs or (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    taps = [[u * stride - padding + k * dilation for k in range(kernel)] for u in range(outputs)]
    return [{t for t in row if 0 <= t < n} for row in taps]


def transposed(n, kernel, stride=1, padding=0, output_padding=0, dilation=1):
    """The same for a transposed convolution: position i writes to i * stride - padding + k * dilation."""
    outputs = (n - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1
    writes = [{i * stride - padding + k * dilation for k in range(kernel)} for i in range(n)]
    return [{i for i in range(n) if u in writes[i]} for u in range(outputs)]


def through(outer, inner):
    """Positions that `outer`'s units read of the input of `inner`."""
    return [set().union(*(inner[p] for p in row)) if row else set() for row in outer]


def poke_naively(model, shape, pokes=(1.0, -1.0, 30.0, -30.0), bases=3):
    """Every position on its own, in float64, several bases and sizes: for each output unit the set it reads."""
    model = copy.deepcopy(model).double().eval()
    generator = torch.Generator().manual_seed(0)
    result: dict[tuple, set] = {}
    for _ in range(bases):
        base = torch.randn(shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            before = model(base.clone())
            for place in np.ndindex(*shape[2:]):
                for size in pokes:
                    x = base.clone()
                    x[(slice(None), slice(None), *place)] += size * (1 + torch.rand(shape[:2], generator=generator))
                    changed = (model(x) != before).flatten(0, 1).any(0)
                    for unit in np.argwhere(changed.numpy()):
                        result.setdefault(tuple(int(u) for u in unit), set()).add(place)
    return result


def assert_projections(model, shape, truth, path="", **options):
    """`measure_projections` for every unit of one axis."""
    (shadows,) = measure_projections(model, shape, progress=False, **options)[path]
    assert [set(shadows.positions((u,))[0]) for u in range(shadows.unit_shape[0])] == truth


# --- stacks -----------------------------------------------------------------------------------------------------------

LAYERS = st.tuples(st.sampled_from(["conv", "max", "avg"]), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2))


@settings(max_examples=40)
@given(st.lists(LAYERS, min_size=1, max_size=4), st.integers(10, 22), st.integers(1, 3))
def test_stacks_on_one_axis(layers, n, dilation):
    modules, truth, length = [], [{i} for i in range(n)], n
    for kind, kernel, stride, padding in layers:
        padding = min(padding, kernel // 2)
        d = dilation if kind != "avg" else 1
        if length + 2 * padding < d * (kernel - 1) + 1:
            break
        if kind == "conv":
            modules += [nn.Conv1d(2, 2, kernel, stride, padding, d), nn.ReLU()]
        elif kind == "max":
            modules.append(nn.MaxPool1d(kernel, stride, padding, d))
        else:
            modules.append(nn.AvgPool1d(kernel, stride, padding))
        truth = through(windows(length, kernel, stride, padding, d), truth)
        length = len(truth)
    model = nn.Sequential(*modules, nn.Identity())
    assert_projections(model, (1, 2, n), truth)
    middle = length // 2
    assert reads(model, (1, 2, n)) == truth[middle]
    assert reads(model, (1, 2, n), unit=0) == truth[0]


def test_axes_may_differ_and_the_mask_is_a_product():
    model = nn.Sequential(nn.Conv2d(3, 4, (3, 2), (2, 1), (1, 0), (1, 3)), nn.BatchNorm2d(4), nn.MaxPool2d(2))
    rows = through(windows(4, 2, 2), windows(8, 3, 2, 1))
    columns = through(windows(6, 2, 2), windows(9, 2, 1, 0, 3))
    for unit in np.ndindex(2, 3):
        measured = found(model, (1, 3, 8, 9), unit=unit)
        mask = np.zeros((8, 9), bool)
        mask[np.ix_(sorted(rows[unit[0]]), sorted(columns[unit[1]]))] = True
        assert np.array_equal(measured.mask, mask)
        assert measured.positions == (tuple(sorted(rows[unit[0]])), tuple(sorted(columns[unit[1]])))


def test_three_axes():
    model = nn.Sequential(nn.Conv3d(1, 2, (1, 2, 3)), nn.MaxPool3d((2, 1, 2)))
    measured = found(model, (1, 1, 4, 4, 7), unit=(1, 2, 1))
    assert measured.interval == ((2, 3), (2, 3), (2, 5))
    assert measured.mask.sum() == 2 * 2 * 4


def test_an_l_shape_is_not_its_hull():
    """The axes' unions would add (2, 4) and (4, 2)."""
    pad = nn.Sequential(nn.ZeroPad2d((1, 2, 1, 2)))
    model = Function(lambda self, x: (n := self.pad(x))[..., 2:8, 0:6] + n[..., 0:6, 3:9], pad=pad)
    assert reads(model, (1, 1, 6, 6), unit=(3, 0)) == {(2, 2)}
    assert reads(model, (1, 1, 6, 6), unit=(2, 2)) == {(3, 1), (1, 4)}


@pytest.mark.parametrize(
    ("options", "n"),
    [
        ({"kernel_size": 2, "stride": 3}, 5),
        ({"kernel_size": 4, "stride": 2, "padding": 1}, 6),
        ({"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}, 5),
        ({"kernel_size": 3, "dilation": 2}, 4),
    ],
)
def test_transposed_convolution(options, n):
    truth = transposed(n, **{k.replace("kernel_size", "kernel"): v for k, v in options.items()})
    model = nn.ConvTranspose1d(1, 1, **options)
    assert_projections(model, (1, 1, n), truth)


def test_a_unit_that_reads_nothing():
    measured = found(nn.ConvTranspose1d(1, 1, 2, stride=3), (1, 1, 5), unit=2)
    assert (measured.size, measured.interval, measured.slices) == ((0,), None, (slice(0, 0),))
    assert measured.positions == ((),)
    assert not measured.mask.any()


def test_ceil_mode_adds_a_cut_window():
    model = nn.MaxPool1d(3, 2, ceil_mode=True)
    assert_projections(model, (1, 1, 8), windows(8, 3, 2, outputs=4))


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_modes(mode):
    n = 6
    place = {
        "reflect": lambda i: -i if i < 0 else 2 * (n - 1) - i if i >= n else i,
        "replicate": lambda i: min(max(i, 0), n - 1),
        "circular": lambda i: i % n,
    }[mode]
    truth = [{place(u + k - 2) for k in range(5)} for u in range(n)]
    assert_projections(nn.Conv1d(1, 1, 5, padding=2, padding_mode=mode), (1, 1, n), truth)


# --- interpolation ----------------------------------------------------------------------------------------------------


def test_nearest_repeats():
    assert_projections(nn.Upsample(scale_factor=3), (1, 1, 4), [{u // 3} for u in range(12)])


def test_bilinear_leaves_out_taps_of_coefficient_zero():
    # source (u + 0.5) / 2 - 0.5: a quarter off for every unit, clamped at both ends
    truth = [{0}, {0, 1}, {0, 1}, {1, 2}, {1, 2}, {2}]
    assert_projections(nn.Upsample(scale_factor=2, mode="linear"), (1, 1, 3), truth)
    # corners aligned, 3 -> 5: source u / 2, so every second unit copies
    truth = [{0}, {0, 1}, {1}, {1, 2}, {2}]
    assert_projections(nn.Upsample(size=5, mode="linear", align_corners=True), (1, 1, 3), truth)
    mask = found(nn.Upsample(size=(5, 5), mode="bilinear", align_corners=True), (1, 1, 3, 3), unit=(2, 3)).mask
    assert {tuple(p) for p in np.argwhere(mask).tolist()} == {(1, 1), (1, 2)}


def test_interpolation_between_convolutions():
    model = nn.Sequential(
        nn.Conv1d(1, 2, 3, padding=1), nn.ReLU(), nn.Upsample(scale_factor=2, mode="linear"), nn.Conv1d(2, 1, 2)
    )
    up = [{0}, {0, 1}, {0, 1}, {1, 2}, {1, 2}, {2, 3}, {2, 3}, {3, 4}, {3, 4}, {4}]
    assert_projections(model, (1, 1, 5), through(through(windows(10, 2), up), windows(5, 3, 1, 1)))


def first_difference(mode):
    """Lengths for which torch's kernel in float32 reads elsewhere than in float64."""
    for n in range(1, 40):
        for size in range(1, 80):
            kernels = [F.interpolate(torch.eye(n, dtype=t)[None], size=size, mode=mode) != 0 for t in DTYPES]
            if not torch.equal(*kernels):
                return n, size, [[set(torch.where(k[0, :, u])[0].tolist()) for u in range(size)] for k in kernels]
    raise AssertionError("the kernels agree for all small lengths")


DTYPES = (torch.float32, torch.float64)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.filterwarnings("ignore:Default upsampling behavior")
def test_nearest_follows_the_models_precision_and_linear_the_exact_coefficients(mode):
    """In float32 nearest takes another position; linear only gives rounding residue to one that it should not read."""
    n, size, truths = first_difference(mode)
    truths = truths if mode == "nearest" else [truths[1]] * 2
    for dtype, truth in zip(DTYPES, truths, strict=True):
        model = nn.Sequential(nn.Conv1d(1, 1, 1), nn.Upsample(size=size, mode=mode)).to(dtype)
        assert_projections(model, (1, 1, n), truth)
        unit = next((u for u in range(size) if truths[0][u] != truths[1][u]), 1)
        assert reads(model, (1, 1, n), unit=unit) == truth[unit]


# --- what hides a read ------------------------------------------------------------------------------------------------


def test_learned_zeros_and_dead_units_still_read():
    conv = nn.Conv1d(1, 2, 3)
    with torch.no_grad():
        conv.weight.zero_()
        conv.bias.fill_(-100.0)
    model = nn.Sequential(conv, nn.ReLU(), nn.Conv1d(2, 1, 3))
    assert reads(model, (1, 1, 9), unit=2) == {2, 3, 4, 5, 6}


def test_weights_that_would_overflow():
    model = nn.Sequential(*(nn.Conv1d(1, 1, 3) for _ in range(4))).double()
    with torch.no_grad():
        for p in model.parameters():
            p.fill_(1e200)
    assert reads(model, (1, 1, 12), unit=1) == set(range(1, 10))


def test_depth_does_not_drown_the_border():
    model = nn.Sequential(*(nn.Sequential(nn.Conv1d(1, 1, 3, padding=1), nn.ReLU()) for _ in range(120)))
    assert reads(model, (1, 1, 301), unit=150) == set(range(30, 271))


def test_depth_with_finite_pokes_only():
    """The cross product of channels is no operation of which we know what it does to NaN."""
    deep = nn.Sequential(nn.Conv1d(3, 1, 3), *(nn.Conv1d(1, 1, 3) for _ in range(99)))
    model = Function(lambda self, x: self.deep(torch.linalg.cross(x, torch.ones_like(x), dim=1) + 1), deep=deep)
    assert_projections(model, (1, 3, 203), [set(range(u, u + 201)) for u in range(3)])
    assert "finite pokes: NaN may go astray in linalg_cross" in found(model, (1, 3, 203)).method


def test_values_that_leave_torch():
    model = nn.Sequential(nn.Conv1d(1, 1, 2), Function(lambda x: torch.from_numpy(np.abs(x.numpy()))))
    assert_projections(model, (1, 1, 6), [{u, u + 1} for u in range(5)])
    assert "leave torch or steer the model (numpy)" in found(model, (1, 1, 6)).method


HIDING = {
    "sign": lambda x: torch.sign(x[..., 1:] + x[..., :-1]),
    "where": lambda x: torch.where(x[..., 1:] > 0, x[..., 1:], x[..., :-1]),
    "compare": lambda x: (x[..., 1:] > x[..., :-1]).to(x.dtype),
    "integer": lambda x: (x[..., 1:] * 8 + x[..., :-1] * 8).round().long().to(x.dtype),
    "fmax": lambda x: torch.fmax(x[..., 1:], x[..., :-1]),
    "nan_to_num": lambda x: torch.nan_to_num(x[..., 1:] - x[..., :-1]),
    "threshold": lambda x: F.hardshrink(x[..., 1:] + x[..., :-1], 3.0),
    "write": lambda x: x[..., 1:].clone().masked_fill_(x[..., :-1] < 0, 0.0),
    "put": lambda x: put(x[..., 1:].clone(), x[..., :-1]),
    "heaviside": lambda x: torch.heaviside(x[..., 1:], x[..., :-1]),
    "copysign": lambda x: torch.copysign(x[..., 1:], x[..., :-1]),
}


def put(x, y):
    x[y < 0] = 0
    return x


@pytest.mark.parametrize("name", HIDING)
def test_operations_that_drop_nan(name):
    model = nn.Sequential(nn.Conv1d(1, 2, 2), Function(HIDING[name]), nn.Conv1d(2, 1, 1))
    assert_projections(model, (1, 1, 7), [{u, u + 1, u + 2} for u in range(5)])
    assert reads(model, (1, 1, 7), unit=3) == {3, 4, 5}


def test_argmax_sort_and_topk_read_their_whole_axis():
    for function in (
        lambda x: x.argmax(2).to(x.dtype)[..., None],
        lambda x: x.sort(2)[0],
        lambda x: x.topk(2, dim=2)[0],
        lambda x: x.median(2, keepdim=True)[0],
        lambda x: torch.gather(x, 2, x.argsort(2)),
    ):
        assert reads(Function(function), (1, 1, 5), unit=0) == set(range(5))
    rows = Function(lambda x: x.sort(3)[0])
    assert reads(rows, (1, 1, 3, 4), unit=(1, 2)) == {(1, c) for c in range(4)}


def test_a_branch_on_values():
    """Whichever side is taken, the sum decides about it."""
    model = Function(lambda x: x[..., 1:] if x.sum() > 0 else -x[..., 1:])
    assert reads(model, (1, 1, 5), unit=2) == set(range(5))


def test_a_value_that_steers_the_model_steers_its_own_sample_only():
    model = Function(lambda x: x[..., 1:] * (2.0 if x[..., 0].max().item() > 100 else 1.0))
    assert_projections(model, (1, 1, 5), [{0, u + 1} for u in range(4)])


def test_a_constant_mask_counts_as_read():
    mask = torch.tensor([True, False, True, False])
    for function in (
        lambda x: x * mask,
        lambda x: torch.where(mask, x, 0.0),
        lambda x: x.masked_fill(mask, 0.0),
        lambda x: x.clone().masked_fill_(mask, 0.0),
    ):
        assert_projections(Function(function), (1, 1, 4), [{0}, {1}, {2}, {3}])


def test_in_place_operations_and_overwritten_places():
    def write(x):
        x = x.clone()
        x[..., 0] = 0
        x[..., 1] = x[..., 3]
        x[..., 4:] += x[..., :-4]
        return F.relu_(x)

    assert_projections(Function(write), (1, 1, 6), [set(), {3}, {2}, {3}, {4}, {3, 5}])


def test_a_layer_followed_by_an_in_place_one_is_seen_before_it():
    model = nn.Sequential(nn.Conv1d(1, 1, 3), Function(lambda x: x.zero_()))
    assert reads(model, (1, 1, 6), unit=1, layer="0") == {1, 2, 3}
    assert reads(model, (1, 1, 6), unit=1) == set()


# --- attention --------------------------------------------------------------------------------------------------------


def attend(causal):
    return Function(lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=causal))


def test_causal_attention_does_not_read_the_future():
    tokens = (1, 6, 4)
    assert_projections(attend(True), tokens, [set(range(u + 1)) for u in range(6)], spatial=(1,))
    assert_projections(attend(False), tokens, [set(range(6))] * 6, spatial=(1,))


class Encoder(nn.Module):
    def __init__(self, causal):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True)
        self.layers, self.causal = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), causal

    def forward(self, x):
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1]) if self.causal else None
        return self.layers(x, mask=mask, is_causal=self.causal)


def test_a_causal_transformer_with_layer_norms():
    shape = (1, 5, 8)
    assert_projections(Encoder(True), shape, [set(range(u + 1)) for u in range(5)], spatial=(1,))
    assert reads(Encoder(True), shape, unit=2, spatial=(1,)) == {0, 1, 2}
    assert reads(Encoder(False), shape, unit=2, spatial=(1,)) == set(range(5))


def test_causal_attention_behind_convolutions():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(1, 4, 3)

        def forward(self, x):
            tokens = self.conv(x).transpose(1, 2)
            return F.scaled_dot_product_attention(tokens, tokens, tokens, is_causal=True).transpose(1, 2)

    assert_projections(Net(), (1, 1, 7), [set(range(u + 3)) for u in range(5)])
    repaired = nn.Sequential(Function(lambda x: torch.where(x > 0, x, -x)), nn.Upsample(scale_factor=1), Net())
    assert_projections(repaired, (1, 1, 7), [set(range(u + 3)) for u in range(5)])


# --- normalization and pooling ----------------------------------------------------------------------------------------


def test_batch_norm_reads_its_own_position_in_eval_and_all_in_training():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    assert found(model, (2, 1, 6, 6), unit=(1, 1)).size == (3, 3)
    assert found(model, (2, 1, 6, 6), unit=(1, 1), training=True).mask.all()
    (shadows,) = measure_projections(model, (2, 1, 6, 6), training=True, progress=False)["0"]
    assert shadows.positions((0, 3)) == ((0, 1, 2), (3, 4, 5))


def test_whole_input_operations():
    for module in (nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1), nn.InstanceNorm2d(2), nn.GroupNorm(1, 2)):
        assert found(module, (1, 2, 4, 5)).mask.all()
    flat = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(24, 3))
    measured = found(flat, (1, 1, 5, 6))
    assert measured.unit == ()
    assert measured.mask.all()


NAIVE = {
    "softmax": (nn.Softmax(3), (1, 2, 3, 4)),
    "channel norm": (Function(lambda x: F.layer_norm(x.permute(0, 2, 3, 1), (2,)).permute(0, 3, 1, 2)), (1, 2, 3, 4)),
    "pixel shuffle": (nn.PixelShuffle(2), (1, 4, 3, 2)),
    "pixel unshuffle": (nn.PixelUnshuffle(2), (1, 1, 4, 4)),
    "roll and flip": (Function(lambda x: x.roll(1, 2).flip(3)), (1, 1, 3, 4)),
    "cumsum": (Function(lambda x: x.cumsum(3)), (1, 1, 2, 4)),
    "unfold and fold": (Function(lambda x: F.fold(F.unfold(x, 2), (4, 5), 2)), (1, 1, 4, 5)),
    "power pooling": (nn.LPPool2d(2, 2, 1), (1, 1, 4, 4)),
    "count padding": (nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), (1, 1, 6, 5)),
    "dilated max": (nn.MaxPool2d(2, 1, dilation=2), (1, 2, 5, 5)),
    "adaptive average": (nn.AdaptiveAvgPool2d((3, 2)), (1, 1, 5, 5)),
    "adaptive max": (nn.AdaptiveMaxPool2d((2, 3)), (1, 1, 5, 5)),
    "bicubic": (nn.Upsample(size=(5, 7), mode="bicubic"), (1, 1, 4, 4)),
    "antialias": (Function(lambda x: F.interpolate(x, size=(3, 3), mode="bilinear", antialias=True)), (1, 1, 6, 6)),
    "gates": (Function(lambda x: x * x.mean((2, 3), keepdim=True).sigmoid()), (1, 2, 3, 3)),
    "einsum": (Function(lambda x: torch.einsum("bchw,bcvw->bchv", x, x)), (1, 2, 3, 4)),
    "fourier": (Function(lambda x: torch.fft.rfft(x).abs()), (1, 1, 2, 5)),
    "activations": (nn.Sequential(nn.GELU(), nn.SiLU(), nn.PReLU(), nn.Hardswish(), nn.ELU(), nn.GLU(1)), (1, 2, 3, 3)),
    "groups": (nn.Conv2d(4, 4, 3, groups=4, bias=False), (1, 4, 4, 5)),
    "volume": (nn.Sequential(nn.AvgPool3d(2, 1), nn.MaxPool3d(2, 1)), (1, 1, 3, 3, 4)),
    "recurrent": (Function(lambda self, x: self.gru(x.mT)[0].mT, gru=nn.GRU(2, 3, batch_first=True)), (1, 2, 5)),
}


@pytest.mark.parametrize("name", NAIVE)
@pytest.mark.filterwarnings("ignore:Default upsampling behavior")
def test_against_a_naive_poker(name):
    model, shape = NAIVE[name]
    truth = poke_naively(model, shape)
    (shadows,) = measure_projections(model, shape, progress=False)[""]
    for unit in np.ndindex(*shadows.unit_shape):
        axes = [set(axis) for axis in shadows.positions(unit)]
        expected = truth.get(unit, set())
        assert axes == [{place[a] for place in expected} for a in range(len(axes))], unit
    for unit in {tuple(n // 2 for n in shadows.unit_shape), tuple(0 for _ in shadows.unit_shape)}:
        mask = found(model, shape, unit=unit).mask
        assert {tuple(p) for p in np.argwhere(mask).tolist()} == truth.get(unit, set())


# --- inputs, outputs, layers ------------------------------------------------------------------------------------------


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.narrow, self.wide = nn.Conv1d(1, 1, 3, padding=1), nn.Conv1d(1, 1, 5, padding=2)

    def forward(self, image, guide, scale=1.0):
        return self.narrow(image) + scale * self.wide(guide)


def test_several_inputs_one_at_a_time():
    model, tensors = TwoInputs(), (torch.zeros(1, 1, 9), torch.zeros(1, 1, 9))
    assert reads(model, None, unit=4, inputs=tensors, which="image") == {3, 4, 5}
    assert reads(model, None, unit=4, inputs=tensors, which=1) == {2, 3, 4, 5, 6}
    assert reads(model, [(1, 1, 9), (1, 1, 9)], unit=0, which="guide") == {0, 1, 2}
    keyword = {"guide": torch.zeros(1, 1, 9), "scale": 0.5}
    assert reads(model, None, unit=4, inputs=tensors[0], kwargs=keyword, which="guide") == {2, 3, 4, 5, 6}
    with pytest.raises(NoSingleAnswerError, match=r"several inputs: image, guide\. Say which= one to poke"):
        measure(model, inputs=tensors)
    with pytest.raises(UnknownNameError, match=r"no input 'gide'.*Nearest: 'guide'"):
        measure(model, inputs=tensors, which="gide")


def test_a_gate_that_is_zero_still_lets_its_input_be_read():
    model = Function(lambda x, gate: x * gate)
    tensors = (torch.randn(1, 1, 5), torch.zeros(1, 1, 1))
    assert reads(model, None, unit=2, inputs=tensors, which=0) == {2}


def test_integer_inputs_are_used_as_they_are():
    class Labeled(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.conv = nn.Embedding(3, 2), nn.Conv1d(2, 2, 3)

        def forward(self, x, label):
            return self.conv(x) + self.table(label)[:, :, None]

    tensors = (torch.randn(1, 2, 6), torch.tensor([2]))
    measured = found(Labeled(), None, inputs=tensors, unit=1)
    assert measured.interval == ((1, 3),)
    assert "every operation carries it" in measured.method
    with pytest.raises(ModelError, match=r"must be a tensor of floating-point numbers to be poked; got torch.int64"):
        measure(Labeled(), inputs=tensors, which="label")
    with pytest.raises(ModelError, match="none can be poked"):
        measure(nn.Embedding(3, 2), inputs=torch.tensor([[1]]))


class Reused(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.unused = nn.Conv1d(1, 1, 3), nn.Conv1d(1, 1, 3)
        self.alias = self.conv

    def forward(self, x):
        return self.conv(self.conv(x))


def test_a_module_called_twice_and_one_that_never_runs():
    model = Reused()
    assert found(model, (1, 1, 9), layer="conv", unit=1).interval == ((1, 5),)
    assert found(model, (1, 1, 9), layer="conv", unit=1, call=0).interval == ((1, 3),)
    assert found(model, (1, 1, 9), layer="alias", unit=1).layer == "conv"
    assert [p.unit_shape for p in measure_projections(model, (1, 1, 9), progress=False)["conv"]] == [(7,), (5,)]
    with pytest.raises(UnknownNameError, match=r"'unused'\. The model has it but never runs it"):
        measure(model, (1, 1, 9), layer="unused")
    with pytest.raises(UnknownNameError, match=r"no layer 'convv'\. Nearest: 'conv'"):
        measure(model, (1, 1, 9), layer="convv")
    with pytest.raises(UnknownNameError, match=r"no call 2\. Layer 'conv' runs 2 time\(s\)"):
        measure(model, (1, 1, 9), layer="conv", call=2)


def test_several_outputs():
    heads = Function(lambda x: {"score": x[..., 1:], "boxes": (x.mean(2), x[..., :1])})
    assert reads(heads, (1, 1, 4), output="score", unit=0) == {1}
    assert reads(heads, (1, 1, 4), output="boxes.0") == {0, 1, 2, 3}
    with pytest.raises(NoSingleAnswerError, match=r"returns 3 tensors: 'score', 'boxes.0', 'boxes.1'\. Choose one"):
        measure(heads, (1, 1, 4))
    with pytest.raises(UnknownNameError, match=r"no output 'scores'.*Nearest: 'score'"):
        measure(heads, (1, 1, 4), output="scores")
    with pytest.raises(ModelError, match="The model returns no tensor"):
        measure(Function(lambda x: "nothing"), (1, 1, 4))


def test_space_elsewhere():
    channels_last = Function(lambda x: x[:, 1:, :-1] + x[:, :-1, 1:])
    assert reads(channels_last, (2, 4, 4, 3), spatial=(1, 2), unit=(0, 1)) == {(1, 1), (0, 2)}
    no_batch = nn.Conv2d(2, 3, 3)
    assert found(no_batch, (2, 6, 6), spatial=(1, 2), unit=(1, 2)).interval == ((1, 3), (2, 4))
    tokens = Function(lambda x: x.flatten(2).mT[:, 1:])
    assert reads(tokens, (1, 3, 2, 2), unit=1, layer_spatial=(1,)) == {(1, 0)}
    with pytest.raises(ModelError, match=r"`spatial` must hold up to three different dimensions of the input"):
        measure(no_batch, (1, 2, 6, 6), spatial=(2, 2))
    with pytest.raises(ModelError, match=r"`layer_spatial` must hold"):
        measure(no_batch, (1, 2, 6, 6), layer_spatial=(4,))


def test_a_model_without_space():
    measured = found(nn.Linear(3, 2), (1, 3))
    assert (measured.mask.shape, measured.size, bool(measured.mask)) == ((), (), True)


@pytest.mark.parametrize("unit", [3, (-1,), (0, 0), 1.5, "a", True])
def test_units_out_of_range(unit):
    with pytest.raises(UnitError, match=r"the output has no unit .*Its feature map is \(3,\); indices by axis: 0 to 2"):
        measure(nn.Conv1d(1, 1, 3), (1, 1, 5), unit=unit)


# --- several pokes in one run -----------------------------------------------------------------------------------------


def one_sample_only(x):
    if x.shape[0] != 1:
        raise ValueError("one sample at a time")
    return x


def mixes_the_batch(x):
    return x - x.mean(0, keepdim=True)


def counts_the_batch(x):
    return x[..., 1:] if x.shape[0] == 1 else x[..., :-1]


@pytest.mark.parametrize("function", [one_sample_only, mixes_the_batch, counts_the_batch])
def test_samples_that_cannot_share_a_run(function):
    model = nn.Sequential(nn.Conv1d(1, 1, 2), Function(function))
    shift = 1 if function is counts_the_batch else 0
    truth = [{u, u + 1} for u in range(shift, 6)]
    assert_projections(model, (1, 1, 7), truth)


def test_windows_folded_into_the_batch():
    windows_of_2 = nn.Sequential(Function(lambda x: x.reshape(-1, 1, 2)), nn.Conv1d(1, 1, 2, padding=1))
    model = nn.Sequential(windows_of_2, Function(lambda x: x[..., :2].reshape(-1, 1, 6)))
    assert_projections(model, (1, 1, 6), [{u - 1, u} if u % 2 else {u} for u in range(6)])


def test_constants_among_the_layers():
    class Positions(nn.Module):
        def forward(self, x):
            return torch.arange(5.0)

    model = Function(lambda self, x: x + self.positions(x), positions=Positions())
    assert_projections(model, (1, 1, 5), [{u} for u in range(5)])
    (constant,) = measure_projections(model, (1, 1, 5), progress=False)["positions"]
    assert not constant.axes[0].any()


# --- the model is left as found ---------------------------------------------------------------------------------------


class Restless(nn.Module):
    """A model that changes while it runs: a counter, a cache, statistics, random numbers of three kinds."""

    def __init__(self, fail=False):
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2), nn.Dropout(0.5)
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))
        self.conv.bias.requires_grad_(False)
        self.cache, self.fail = None, fail

    def forward(self, x):
        self.calls += 1
        self.cache = x
        random.random(), np.random.rand()
        y = self.drop(self.norm(self.conv(x)))
        if self.fail:
            raise RuntimeError("no")
        return y


def snapshot(model):
    from torch.nn.modules import module as hooks

    return (
        {k: (v.clone(), v._version, v.requires_grad) for k, v in model.state_dict(keep_vars=True).items()},
        {k: None if p.grad is None else p.grad.clone() for k, p in model.named_parameters()},
        [m.training for m in model.modules()],
        [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()],
        (len(hooks._global_forward_hooks), len(hooks._global_forward_pre_hooks)),
        model.cache,
        (random.getstate(), str(np.random.get_state()), torch.get_rng_state()),
        (torch.get_default_dtype(), torch.backends.mha.get_fastpath_enabled(), torch.is_grad_enabled()),
        (torch._C._get_mkldnn_enabled(), torch._C._get_nnpack_enabled()),
        torch.nn.attention._cur_sdpa_kernel_backends(),
    )


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


@pytest.mark.parametrize("fail", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_the_model_is_left_as_found(fail, training):
    model = Restless(fail)
    model.norm.eval()
    model.conv.weight.grad = torch.ones_like(model.conv.weight)
    model.register_forward_hook(lambda *_: None)
    before = snapshot(model)
    if fail:
        with pytest.raises(ModelError, match="no"):
            measure(model, (2, 1, 9), training=training)
    else:
        found(model, (2, 1, 9), unit=1, training=training)
        measure_projections(model, (2, 1, 9), training=training, progress=False)
    assert same(before, snapshot(model))


def test_an_interruption_leaves_nothing_behind():
    def stop(x):
        raise KeyboardInterrupt

    model = Restless()
    before = snapshot(model)
    with pytest.raises(KeyboardInterrupt):
        measure(nn.Sequential(model, Function(stop)), (2, 1, 9))
    assert same(before, snapshot(model))


def test_what_a_poke_leaves_in_a_module_does_not_reach_the_next():
    class Remembers(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = torch.zeros(1)
            self.register_buffer("mean", torch.zeros(1))

        def forward(self, x):
            y = x + self.last + self.mean
            self.last = x.sum().reshape(1)
            self.mean += x.mean()
            return y

    assert_projections(Remembers(), (1, 1, 4), [{u} for u in range(4)])


def test_random_numbers_in_the_model_do_not_change_the_answer():
    """The comparison drops NaN, so finite pokes decide, and only where the random gate is open."""
    model = Function(lambda x: ((x > 0) & (torch.rand(6) > 0.5)).to(x.dtype))
    answers = set()
    for seed in range(6):
        torch.manual_seed(seed)
        (shadows,) = measure_projections(model, (1, 1, 6), progress=False)[""]
        answers.add(shadows.axes[0].tobytes())
        assert 0 < shadows.axes[0].sum() < 6
    assert len(answers) == 1


def test_inference_mode_and_autocast_around_the_call():
    with torch.inference_mode():
        assert found(nn.Conv1d(1, 1, 3), (1, 1, 6), unit=1).interval == ((1, 3),)
    with torch.autocast("cpu", torch.bfloat16):
        assert found(nn.Conv1d(1, 1, 3), (1, 1, 6), unit=1).interval == ((1, 3),)


# --- precision, devices, models that cannot be poked ------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(dtype):
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.GroupNorm(2, 2), nn.ReLU()).to(dtype)
    assert found(model, (1, 1, 5, 5), layer="0", unit=(0, 2)).interval == ((0, 1), (1, 3))
    assert next(model.parameters()).dtype == dtype


def test_constants_kept_as_attributes_follow_the_copy():
    class Blur(nn.Module):
        def __init__(self):
            super().__init__()
            self.kernel = torch.ones(1, 1, 3) / 3

        def forward(self, x):
            seen.add(x.dtype)
            return F.conv1d(x, self.kernel)

    seen = set()
    assert_projections(Blur(), (1, 1, 5), [{0, 1, 2}, {1, 2, 3}, {2, 3, 4}])
    assert seen == {torch.float64}


def test_a_model_that_insists_on_its_precision():
    model = Function(lambda x: F.conv1d(x, torch.ones(1, 1, 3, dtype=torch.float32)))
    assert reads(model, (1, 1, 5), unit=1) == {1, 2, 3}


def test_a_weight_with_a_history_is_copied():
    conv = nn.Conv1d(1, 1, 3)
    model = Function(lambda self, x: self.conv(x), conv=conv)
    model.cached = [conv.weight * 2]
    assert reads(model, (1, 1, 5), unit=1) == {1, 2, 3}
    assert model.cached[0].grad_fn is not None


class Uncopyable(nn.Module):
    def __deepcopy__(self, memo):
        raise TypeError("a socket cannot be copied")


@pytest.mark.parametrize(
    ("model", "shape", "message"),
    [
        (nn.LazyConv2d(3, 3), (1, 1, 5, 5), r"Parameter 'weight' is not initialized yet \(a lazy module\)\. Run the"),
        (nn.Conv1d(1, 1, 3, device="meta"), (1, 1, 5), r"'weight' is on the meta device and has no values\. Use"),
        (Uncopyable(), (1, 1, 5), r"copy.deepcopy\(Uncopyable\) failed: TypeError: a socket cannot be copied"),
        (F.relu, (1, 1, 5), r"`model` must be a torch.nn.Module; got function"),
        (nn.Sequential(nn.Conv1d(3, 1, 3)), (1, 1, 5), r"input of shape \(1, 1, 5\)\. Layer '0' fails: RuntimeError"),
        (nn.Sequential(nn.ReLU(), nn.Conv1d(1, 1, 9)), (1, 1, 5), r"Layer '1' fails: RuntimeError: .*[Kk]ernel"),
        (nn.ReLU(), (1, 1, 0), r"`input_size` must hold whole numbers >= 1, as \(1, 3, 224, 224\); got \(1, 1, 0\)"),
        (nn.ReLU(), "1,1,5", r"`input_size` must be a tuple of whole numbers.*got '1,1,5'"),
        (nn.ReLU(), (), r"`input_size` must hold whole numbers >= 1"),
        (nn.ReLU(), None, r"Give either `input_size`.*or `inputs`"),
    ],
)
def test_one_clear_sentence(model, shape, message):
    with pytest.raises(ModelError, match=message):
        measure(model, shape)


def test_models_whose_results_cannot_be_compared():
    class Clock(nn.Module):
        ticks = 0

        def forward(self, x):
            Clock.ticks += 1
            return (x > 0) * 1.0 + Clock.ticks

    with pytest.raises(ModelError, match="different results in two equal runs"):
        measure(Clock(), (1, 1, 4))
    with pytest.raises(ModelError, match="gives NaN without any poke"):
        measure(Function(lambda x: x * float("nan")), (1, 1, 4))


# --- the result -------------------------------------------------------------------------------------------------------


def test_the_result_is_frozen_and_readable():
    measured = found(nn.Conv2d(1, 1, (3, 2)), (1, 1, 5, 5), unit=(1, 3))
    expected = (
        "Measured(unit (1, 3) of the output: size (3, 2), interval ((1, 3), (3, 4)), reads 6 of 25 positions; by "
    )
    assert repr(measured) == expected + "gradient (6 positions) and NaN: every operation carries it)"
    assert measured == found(nn.Conv2d(1, 1, (3, 2)), (1, 1, 5, 5), unit=(1, 3))
    assert measured != found(nn.Conv2d(1, 1, (3, 2)), (1, 1, 5, 5), unit=(1, 2))
    image = torch.arange(25).reshape(5, 5)
    assert image[measured.slices].tolist() == [[8, 9], [13, 14], [18, 19]]
    with pytest.raises(ValueError, match="read-only"):
        measured.mask[0, 0] = True
    with pytest.raises(AttributeError):
        measured.unit = (0, 0)


def test_an_int_on_one_axis_and_the_middle_by_default():
    assert found(nn.Conv1d(1, 1, 3), (1, 1, 8), unit=2).unit == (2,)
    assert found(nn.Conv1d(1, 1, 3), (1, 1, 8)).unit == (3,)


def test_a_fast_answer_needs_few_runs():
    """A gradient proves the read positions and one poke clears the rest: no forward pass a pixel."""

    class Counting(nn.Conv2d):
        runs = 0

        def forward(self, x):
            Counting.runs += 1
            return super().forward(x)

    assert found(Counting(1, 1, 5, dilation=3), (1, 1, 40, 40)).mask.sum() == 25
    assert Counting.runs < 12
