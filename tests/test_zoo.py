"""The zoo's fields against published numbers, by poking real torch modules: no part of the analyzer takes part."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from architectures import ARCHITECTURES, NO_SPACE_LEFT, SEVERAL_OUTPUTS, VALUE_DEPENDENT, build, tensors_of
from torch import Tensor, nn

from rflib import zoo
from rflib.errors import ModelError
from rflib.zoo._parts import Conv2dSame, MaxPool2dSame, same_padding
from rflib.zoo.mobile import SqueezeExcitation

# Sources: Araujo, Norris, Sim 2019, doi 10.23915/distill.00021, table of TF-Slim's networks.
DISTILL = {
    "alexnet_v2": (195, 32, 64),
    "vgg16": (212, 32, 90),
    "mobilenet_v1": (315, 32, 126),
    "resnet_v1_50": (483, 32, 239),
    "resnet_v1_101": (1027, 32, 511),
    "inception_v2": (699, 32, 318),
    "inception_v3": (1311, 32, 618),
}
# Sizes known by poking the public implementations (their stride and padding too for the first three), or from the
# papers; for the rest stride and padding follow from the layers.
ELSEWHERE = {
    "alexnet": (195, 32, 66),
    "resnet18": (435, 32, 217),
    "resnet50": (427, 32, 213),
    "patchgan": (70, 8, 23),
    "dqn": (36, 8, 0),
    "tcn": (61, 1, 60),
    "wavenet_block": (1024, 1, 1023),
}


@pytest.fixture(autouse=True)
def _exact() -> Iterator[None]:
    torch.manual_seed(0)
    with torch.no_grad(), torch.backends.nnpack.flags(enabled=False):
        yield


def reached(model: nn.Module, image: Tensor, axis: int, rows: slice) -> Tensor:
    """Which rows of units along `axis` turn NaN when `rows` of the image do."""
    poked = image.clone()
    poked[(slice(None),) * (2 + axis) + (rows,)] = torch.nan
    out = model(poked)
    others = [d for d in range(out.ndim) if d != 2 + axis]
    return out.isnan().amax(others)


def first_and_last(model: nn.Module, shape: tuple[int, ...], axis: int, unit: int) -> tuple[int, int]:
    """The first and the last input row that a unit reads, by bisection over half images of NaN."""
    image, length = torch.rand(shape, dtype=torch.float64), shape[2 + axis]
    assert not model(image).isnan().any()

    def bisect(rows: Callable[[int], slice]) -> int:
        low, high = 0, length  # rows(low) does not reach the unit, rows(high) does
        assert reached(model, image, axis, rows(high))[unit]
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if reached(model, image, axis, rows(middle))[unit] else (middle, high)
        return high

    return bisect(lambda n: slice(0, n)) - 1, length - bisect(lambda n: slice(length - n, None))


def field_of(model: nn.Module, shape: tuple[int, ...], axis: int, unit: int) -> tuple[int, int, int]:
    """Size, stride and padding along one axis, from two neighboring inner units."""
    model = model.double().eval()
    (first, last), (next_first, next_last) = (first_and_last(model, shape, axis, u) for u in (unit, unit + 1))
    inner = first > 0 and next_last < shape[2 + axis] - 1
    assert inner, "not an inner unit: the window may be cut by the border"
    assert last - first == next_last - next_first
    stride = next_first - first
    return last - first + 1, stride, unit * stride - first


def long_shape(base: tuple[int, ...], axis: int, length: int, narrow: int) -> tuple[int, ...]:
    """An image long along one axis and narrow along the others."""
    space = [narrow] * (len(base) - 2)
    space[axis] = length
    return (1, base[1], *space)


# Each network: how to make it without a head, an inner unit, the length of the image (which keeps the remainder modulo
# 32 of the default input, on which "SAME" padding depends), the width of the other axis, and the axes to poke.
CASES: dict[str, tuple[Callable[[], nn.Module], int, int, int, tuple[int, ...]]] = {
    "alexnet": (lambda: zoo.alexnet(1 / 64, 0), 3, 224 + 192, 96, (0,)),
    "alexnet_v2": (lambda: zoo.alexnet_v2(1 / 64, 0), 3, 224 + 192, 96, (0, 1)),
    "vgg16": (lambda: zoo.vgg16(1 / 64, 0), 3, 224 + 192, 32, (0,)),
    "resnet18": (lambda: zoo.resnet18(1 / 64, 0), 8, 224 + 512, 32, (0, 1)),
    "resnet34": (lambda: zoo.resnet34(1 / 64, 0), 15, 224 + 1184, 32, (0,)),
    "resnet50": (lambda: zoo.resnet50(1 / 64, 0), 8, 224 + 512, 32, (0, 1)),
    "resnet101": (lambda: zoo.resnet101(1 / 64, 0), 16, 224 + 1280, 32, (0,)),
    "resnet_v1_50": (lambda: zoo.resnet_v1_50(1 / 64, 0), 8, 224 + 512, 32, (0, 1)),
    "resnet_v1_101": (lambda: zoo.resnet_v1_101(1 / 64, 0), 17, 224 + 1312, 32, (0,)),
    "mobilenet_v1": (lambda: zoo.mobilenet_v1(1 / 64, 0), 5, 224 + 320, 32, (0, 1)),
    "inception_v2": (lambda: zoo.inception_v2(1 / 64, 0), 10, 224 + 800, 32, (0, 1)),
    "inception_v3": (lambda: zoo.inception_v3(1 / 64, 0), 20, 299 + 1120, 75, (0, 1)),
    "convnext_like": (lambda: zoo.convnext_like(1 / 96, num_classes=0), 26, 224 + 2080, 32, (0,)),
    "patchgan": (lambda: zoo.patchgan(1 / 64), 4, 256, 32, (0, 1)),
    "dqn": (lambda: zoo.dqn(1 / 32, 0), 2, 84, 36, (0, 1)),
    "tcn": (lambda: zoo.tcn(1 / 25), 70, 200, 0, (0,)),
    "wavenet_block": (lambda: zoo.wavenet_block(1 / 64), 1030, 1100, 0, (0,)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_field_is_the_published_one(name: str) -> None:
    make, unit, length, narrow, axes = CASES[name]
    network = zoo.networks()[name]
    for axis in axes:
        shape = long_shape(network.input_shape, axis, length, narrow)
        assert field_of(make(), shape, axis, unit) == network.field
    published = DISTILL | ELSEWHERE
    if name in published:
        assert network.field == published[name]


def test_every_published_number_is_poked() -> None:
    assert set(DISTILL | ELSEWHERE) <= set(CASES)


# --- what has no single number, or a variant ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "unit", "length", "narrow", "expected"),
    [
        (lambda: zoo.resnet50(1 / 64, 0, "v1"), 8, 224 + 512, 32, (483, 32, 241)),
        (lambda: zoo.resnet50(1 / 64, 0, "slim"), 8, 224 + 512, 32, (483, 32, 239)),
        (lambda: zoo.resnet101(1 / 64, 0, "v1"), 17, 224 + 1312, 32, (1027, 32, 513)),
        (lambda: zoo.efficientnet_like(1 / 32, 0, squeeze_excite=False), 14, 224 + 1152, 32, (851, 32, 425)),
        (lambda: zoo.patchgan(1 / 64, 286), 4, 640, 128, (286, 32, 95)),
        (lambda: zoo.patchgan(1 / 64, 142), 4, 512, 64, (142, 16, 47)),
        (lambda: zoo.patchgan(1 / 64, 34), 8, 128, 32, (34, 4, 11)),
        (lambda: zoo.patchgan(1 / 64, 16), 8, 64, 32, (16, 2, 5)),
    ],
    ids=[
        "resnet50 v1",
        "resnet50 slim",
        "resnet101 v1",
        "efficientnet without gates",
        "patchgan 286",
        "142",
        "34",
        "16",
    ],
)
def test_a_variant_has_the_field_its_docstring_states(
    make: Callable[[], nn.Module], unit: int, length: int, narrow: int, expected: tuple[int, int, int]
) -> None:
    assert field_of(make(), (1, 3, length, narrow), 0, unit) == expected


def test_the_bottom_of_the_unet_sees_140() -> None:
    encoder = zoo.unet(1 / 64)
    bottom = nn.Sequential(*(m for level in encoder.encoder for m in (encoder.pool, level)))[1:]
    assert field_of(bottom, (1, 1, 288, 32), 0, 6) == zoo.networks()["unet"].field


# The longest branch alone decides the field of a network, so the others are poked by themselves: in input positions of
# the block, size, stride and padding along both axes.
@pytest.mark.parametrize(
    ("make", "block", "expected"),
    [
        (zoo.inception_v2, "Mixed_3b", [(1, 1, 0), (3, 1, 1), (5, 1, 2), (3, 1, 1)]),
        (zoo.inception_v2, "Mixed_4a", [(3, 2, 0), (5, 2, 1), (3, 2, 0)]),
        (zoo.inception_v2, "Mixed_5c", [(1, 1, 0), (3, 1, 1), (5, 1, 2), (3, 1, 1)]),
        (zoo.inception_v3, "Mixed_5b", [(1, 1, 0), (5, 1, 2), (5, 1, 2), (3, 1, 1)]),
        (zoo.inception_v3, "Mixed_6a", [(3, 2, 0), (5, 2, 1), (3, 2, 0)]),
        (zoo.inception_v3, "Mixed_6b", [(1, 1, 0), (7, 1, 3), (13, 1, 6), (3, 1, 1)]),
        (zoo.inception_v3, "Mixed_7a", [(3, 2, 0), (9, 2, 3), (3, 2, 0)]),
        (zoo.inception_v3, "Mixed_7b", [(1, 1, 0), (3, 1, 1), (5, 1, 2), (3, 1, 1)]),
    ],
)
def test_each_branch_of_an_inception_block_has_its_own_field(
    make: Callable[..., nn.Module], block: str, expected: list[tuple[int, int, int]]
) -> None:
    model = make(1 / 64, 0).eval()
    mixed = model.get_submodule(block)
    first = next(m for m in mixed.modules() if isinstance(m, nn.Conv2d))
    channels = first.in_channels
    for index, field in enumerate(expected):
        for axis in (0, 1):
            shape = long_shape((1, channels, 0, 0), axis, 40, 12)
            assert field_of(mixed.get_submodule(f"Branch_{index}"), shape, axis, 9) == field, (index, axis)


def test_a_closed_gate_lets_nothing_through() -> None:
    gate = SqueezeExcitation(4, 2)
    torch.nn.init.constant_(gate.fc2.bias, -1000.0)
    assert not gate(torch.rand(1, 4, 5, 5)).any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_shape_encoder_sees_94(axis: int) -> None:
    assert field_of(zoo.shape_encoder(1 / 64), long_shape((1, 1, 0, 0, 0), axis, 160, 64), axis, 2) == (94, 16, 15)


def test_a_pixel_of_the_generator_reads_two_or_three_latents() -> None:
    model = zoo.dcgan_generator(1 / 64, latent=1).double().eval()
    sizes = set()
    for pixel in range(48, 80):
        first, last = first_and_last(model, (1, 1, 8, 4), 0, pixel)
        sizes.add(last - first + 1)
    assert sizes == {2, 3}


def test_the_aspp_reads_37_with_holes_and_39_after_the_head() -> None:
    pyramid = zoo.deeplab_aspp(1 / 256, image_pooling=False, num_classes=0)
    assert field_of(pyramid, (1, 8, 60, 40), 0, 25) == (37, 1, 18)
    image = torch.rand(1, 8, 60, 40, dtype=torch.float64)
    read = [row - 30 for row in range(60) if reached(pyramid, image, 0, slice(row, row + 1))[30]]
    assert read == [-18, -12, -6, 0, 6, 12, 18]
    assert field_of(zoo.deeplab_aspp(1 / 256, image_pooling=False), (1, 8, 60, 40), 0, 25) == (39, 1, 19)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: zoo.efficientnet_like(1 / 32, 0), (1, 3, 160, 32)),
        (lambda: zoo.deeplab_aspp(1 / 256), (1, 8, 60, 10)),
        (lambda: zoo.dcgan_generator(1 / 64, 1, 1), (1, 1, 1, 1)),
    ],
    ids=["squeeze-and-excitation", "image pooling", "latent vector"],
)
def test_a_gate_reads_the_whole_input(make: Callable[[], nn.Module], shape: tuple[int, ...]) -> None:
    model, image = make().double().eval(), torch.rand(shape, dtype=torch.float64)
    for row in (0, shape[2] - 1):
        assert reached(model, image, 0, slice(row, row + 1)).all()


def test_swin_reads_its_windows_first_and_beyond_them_after_the_shift() -> None:
    model = zoo.swin_like(1 / 8, depths=(2,), num_classes=0).double().eval()
    embed, _, blocks, _ = model.features
    image = torch.rand(1, 3, 64, 64, dtype=torch.float64)
    tokens = blocks[0](embed(image))
    poked = image.clone()
    poked[:, :, 20, 20] = torch.nan  # patch (5, 5), in the window of patches 4 to 7
    seen = blocks[0](embed(poked)).isnan().any(-1)[0]
    assert seen.nonzero().tolist() == [[r, c] for r in range(4, 8) for c in range(4, 8)]
    # The shifted block: -inf in the mask keeps wrapped regions apart. NaN marks them all the same, so poke finitely.
    moved = image.clone()
    moved[:, :, 0:4, 0:4] += 10.0
    changed = (blocks[1](blocks[0](embed(moved))) != blocks[1](tokens)).any(-1)[0]
    assert changed.nonzero().tolist() == [[r, c] for r in range(6) for c in range(6)]


def test_swin_is_the_same_inside_a_window_whatever_the_rest_of_the_map() -> None:
    model = zoo.swin_like(1 / 8, depths=(1, 1), num_classes=0).eval()
    image, other = torch.rand(1, 3, 50, 64), torch.rand(1, 3, 50, 64)  # 50: the map does not fill its windows
    assert model(image).shape == (1, model(image).shape[1], 6, 8)
    other[..., :32, :32] = image[..., :32, :32]
    assert torch.allclose(model(image)[..., :4, :4], model(other)[..., :4, :4], atol=1e-6)


def test_vit_reads_one_patch_before_attention_and_everything_after() -> None:
    model = zoo.vit_like(1 / 16).double().eval()
    assert field_of(model.conv_proj, (1, 3, 64, 64), 0, 3) == zoo.networks()["vit_like"].field
    image = torch.rand(1, 3, 64, 64, dtype=torch.float64)
    image[..., 63, 63] = torch.nan
    assert model(image).isnan().all()


# --- making them ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation"),
    [(n, k, s, d) for n in (7, 8, 224, 299) for k in (1, 2, 3, 7) for s in (1, 2, 3) for d in (1, 2)],
)
def test_same_padding_gives_tensorflows_output_size(size: int, kernel: int, stride: int, dilation: int) -> None:
    left, right = same_padding(size, kernel, stride, dilation)
    span = dilation * (kernel - 1) + 1
    assert (size + left + right - span) // stride + 1 == -(-size // stride)
    assert right - left in (0, 1)
    if left + right:  # one position less of padding would lose the last output
        assert (size + left + right - 1 - span) // stride + 1 < -(-size // stride)


def test_same_layers_pad_each_axis_by_its_own_size() -> None:
    conv = Conv2dSame(1, 1, (3, 5), (2, 1), bias=False)
    image = torch.randn(1, 1, 8, 9)
    expected = torch.nn.functional.conv2d(torch.nn.functional.pad(image, (2, 2, 0, 1)), conv.weight, stride=(2, 1))
    assert torch.equal(conv(image), expected)
    assert torch.equal(MaxPool2dSame(3, 2)(-torch.ones(1, 1, 8, 8)), -torch.ones(1, 1, 4, 4))


@pytest.mark.parametrize("name", zoo.NAMES)
def test_every_network_runs_with_its_head_on_the_shape_it_names(name: str) -> None:
    network = zoo.networks()[name]
    assert network.make is getattr(zoo, name)
    shape = list(network.input_shape)
    if name == "deeplab_aspp":
        shape[1] //= 32  # its input has the backbone's channels, which `width` scales too
    model = network.make(width=1 / 32).eval()
    out = model(torch.rand(shape))
    assert out.isfinite().all()
    assert out.shape[0] == 1
    if network.layer is not None:
        model.get_submodule(network.layer)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: zoo.resnet18(width=0), "`width` must be a number above 0; got 0."),
        (lambda: zoo.vgg16(width=float("nan")), "`width` must be a number above 0; got nan."),
        (lambda: zoo.resnet50(0.1, variant="v2"), "`variant` must be one of 'v1.5', 'v1', 'slim'; got 'v2'."),
        (lambda: zoo.unet(0.1, up="cubic"), "`up` must be one of 'transposed', 'nearest', 'bilinear'; got 'cubic'."),
        (lambda: zoo.patchgan(0.1, 71), "`patch` must be one of 16, 34, 70, 142, 286; got 71."),
        (lambda: zoo.dcgan_generator(0.1, latent_size=2), "`latent_size` must be 1 or 4; got 2."),
    ],
)
def test_a_wrong_argument_gets_one_clear_sentence(call: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize("up", ["transposed", "nearest", "bilinear"])
def test_the_unet_keeps_the_size_of_its_input(up: str, depth: int) -> None:
    assert zoo.unet(1 / 32, depth, up=up)(torch.rand(1, 1, 32, 48)).shape == (1, 2, 32, 48)


# Numbers that torchvision states beside its weights. Inception v3: it states the number with the auxiliary classifier
# only; this one, without, is what other ports of the network assert.
PARAMETERS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "alexnet": (zoo.alexnet, 61_100_840),
    "vgg16": (zoo.vgg16, 138_357_544),
    "resnet18": (zoo.resnet18, 11_689_512),
    "resnet34": (zoo.resnet34, 21_797_672),
    "resnet50": (zoo.resnet50, 25_557_032),
    "resnet101": (zoo.resnet101, 44_549_160),
    "inception_v3": (zoo.inception_v3, 23_834_568),
    "efficientnet_b0": (zoo.efficientnet_like, 5_288_548),
    "convnext_tiny": (zoo.convnext_like, 28_589_128),
    "swin_t": (lambda: zoo.swin_like(depths=(2, 2, 6, 2), window=7), 28_288_354),
    "vit_b_16": (lambda: zoo.vit_like(depth=12, heads=12, image=224, patch=16), 86_567_656),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_at_full_width_the_parameters_are_the_published_ones(name: str) -> None:
    make, expected = PARAMETERS[name]
    with torch.device("meta"):  # no memory, no time
        assert sum(p.numel() for p in make().parameters()) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("inception_v2", 10_173_112), ("inception_v3", 21_802_784), ("mobilenet_v1", 3_217_920)]
)
def test_tf_slims_own_number_of_variables(name: str, expected: int) -> None:
    """As TF-Slim's tests state it: without the classifier; batch norm has a shift and two averages, but no scale."""
    with torch.device("meta"):
        modules = list(zoo.networks()[name].make(num_classes=0).modules())
    convolutions = sum(p.numel() for m in modules if isinstance(m, nn.Conv2d) for p in m.parameters())
    assert convolutions + sum(3 * m.num_features for m in modules if isinstance(m, nn.BatchNorm2d)) == expected


# --- the small networks of the other tests --------------------------------------------------------------------------


def test_there_are_enough_architectures() -> None:
    assert len(ARCHITECTURES) >= 32


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architecture_runs_and_is_deterministic(name: str) -> None:
    (model, inputs), (again, same) = build(name), build(name)
    first, second = tensors_of(model(*inputs)), tensors_of(again(*same))
    assert first
    for a, b in zip(first, second, strict=True):
        assert a.numel()
        assert a.isfinite().all()
        assert torch.equal(a, b)
    assert all(max(t.shape[2:]) <= 40 for t in inputs)


def test_the_lists_of_special_architectures_are_right() -> None:
    outputs = {}
    for name in ARCHITECTURES:
        model, inputs = build(name)
        outputs[name] = model(*inputs)
    assert {name for name, out in outputs.items() if not isinstance(out, Tensor)} == SEVERAL_OUTPUTS
    assert {name for name, out in outputs.items() if isinstance(out, Tensor) and out.ndim < 3} == NO_SPACE_LEFT
    assert set(ARCHITECTURES) >= VALUE_DEPENDENT
