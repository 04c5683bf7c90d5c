"""Published numbers, reached twice: by the networks' layers through the graph, and by torch modules through analyze."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

import rflib as rf
from rflib import networks, zoo
from rflib.errors import LayerError, ModelError, NoSingleAnswerError, ReceptiveFieldError, UnknownNameError
from rflib.networks import MISPRINTS, NETWORKS, Branches, Path, network

# The oracle is written out here, so that a slip in rflib.networks cannot hide behind itself.
# Araujo, Norris, Sim 2019, doi 10.23915/distill.00021, the table of TF-Slim's networks.
DISTILL = {
    "alexnet_v2": (195, 32, 64),
    "vgg16": (212, 32, 90),
    "resnet_v1_50": (483, 32, 239),
    "resnet_v1_101": (1027, 32, 511),
    "resnet_v1_152": (1507, 32, 751),
    "resnet_v1_200": (1763, 32, 879),
    "mobilenet_v1": (315, 32, 126),
    "inception_v2": (699, 32, 318),
    "inception_v3": (1311, 32, 618),
}
# Measured by poking torchvision's implementations with random weights.
TORCHVISION = {
    "alexnet": (195, 32, 66),
    "vgg16": (212, 32, 90),
    "resnet18": (435, 32, 217),
    "resnet50": (427, 32, 213),
}
# Of the paper, or by hand: the size alone.
SIZES = {"patchgan_70": 70, "patchgan_286": 286, "dqn": 36, "tcn": 61, "wavenet": 1024}
# The zoo's modules were poked (test_zoo); nobody prints these.
POKED = {
    "resnet34": (899, 32, 449),
    "resnet101": (971, 32, 485),
    "resnet50_original": (483, 32, 241),
    "resnet101_original": (1027, 32, 513),
    "efficientnet_b0": (851, 32, 425),
    "convnext_tiny": (1688, 32, 828),
    "patchgan_70": (70, 8, 23),
    "patchgan_286": (286, 32, 95),
    "dqn": (36, 8, 0),
    "tcn": (61, 1, 60),
    "wavenet": (1024, 1, 1023),
    "unet_bottom": (140, 16, 62),
    "aspp": (37, 1, 18),
    "shape_encoder": (94, 16, 15),
}
EVERY = DISTILL | TORCHVISION | POKED

# Point by point, as google-research/receptive_field prints it for inputs of 224 (RECEPTIVE_FIELD_TABLE.md): size,
# stride, padding. Inception v3 is given for any input: only its stem and its blocks of stride 2 are unpadded.
POINTS = {
    "alexnet_v2": """
        conv1 11 4 0, pool1 19 8 0, conv2 51 8 16, conv3 99 16 32, conv4 131 16 48, conv5 163 16 64, pool5 195 32 64""",
    "vgg16": """
        conv1_1 3 1 1, pool1 6 2 2, conv2_1 10 2 4, pool2 16 4 6, conv3_1 24 4 10, conv3_2 32 4 14, pool3 44 8 18,
        conv4_1 60 8 26, conv4_2 76 8 34, pool4 100 16 42, conv5_1 132 16 58, conv5_2 164 16 74, pool5 212 32 90""",
    "inception_v2": """
        Conv2d_1a_7x7 7 2 2, MaxPool_2a_3x3 11 4 2, Conv2d_2b_1x1 11 4 2, Conv2d_2c_3x3 19 4 6, MaxPool_3a_3x3 27 8 6,
        Mixed_3b 59 8 22, Mixed_3c 91 8 38, Mixed_4a 123 16 46, Mixed_4b 187 16 78, Mixed_4c 251 16 110,
        Mixed_4d 315 16 142, Mixed_4e 379 16 174, Mixed_5a 443 32 190, Mixed_5b 571 32 254, Mixed_5c 699 32 318""",
    "inception_v3": """
        Conv2d_1a_3x3 3 2 0, Conv2d_2a_3x3 7 2 0, Conv2d_2b_3x3 11 2 2, MaxPool_3a_3x3 15 4 2, Conv2d_3b_1x1 15 4 2,
        Conv2d_4a_3x3 23 4 2, MaxPool_5a_3x3 31 8 2, Mixed_5b 63 8 18, Mixed_5c 95 8 34, Mixed_5d 127 8 50,
        Mixed_6a 159 16 58, Mixed_6b 351 16 154, Mixed_6c 543 16 250, Mixed_6d 735 16 346, Mixed_6e 927 16 442,
        Mixed_7a 1055 32 490, Mixed_7b 1183 32 554, Mixed_7c 1311 32 618""",
    "mobilenet_v1": """
        Conv2d_0 3 2 0, Conv2d_1_pointwise 7 2 2, Conv2d_2_pointwise 11 4 2, Conv2d_3_pointwise 19 4 6,
        Conv2d_4_pointwise 27 8 6, Conv2d_5_pointwise 43 8 14, Conv2d_6_pointwise 59 16 14, Conv2d_7_pointwise 91 16 30,
        Conv2d_8_pointwise 123 16 46, Conv2d_9_pointwise 155 16 62, Conv2d_10_pointwise 187 16 78,
        Conv2d_11_pointwise 219 16 94, Conv2d_12_pointwise 251 32 94, Conv2d_13_pointwise 315 32 126""",
    "resnet_v1_50": "layer1 35 8 15, layer2 99 16 47, layer3 291 32 143, layer4 483 32 239",
    "resnet_v1_101": "layer1 35 8 15, layer2 99 16 47, layer3 835 32 415, layer4 1027 32 511",
    "resnet_v1_152": "layer1 35 8 15, layer2 163 16 79, layer3 1315 32 655, layer4 1507 32 751",
    "resnet_v1_200": "layer1 35 8 15, layer2 419 16 207, layer3 1571 32 783, layer4 1763 32 879",
}
Field = tuple[int, int, int]


def points(name: str) -> dict[str, Field]:
    entries = (entry.split() for entry in POINTS[name].split(","))
    return {at: (int(size), int(stride), int(padding)) for at, size, stride, padding in entries}


# --- the graphs -----------------------------------------------------------------------------------------------------


def test_every_network_has_an_expected_number() -> None:
    assert set(EVERY) == set(NETWORKS)
    assert set(POINTS) == set(DISTILL)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_graph_gives_the_known_number(name: str, axis: int) -> None:
    window = network(name).window(axis=axis)
    assert (window.size, window.stride, window.padding) == EVERY[name]
    assert network(name).field == EVERY[name]


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", POINTS)
def test_the_graph_gives_every_point_of_the_published_table(name: str, axis: int) -> None:
    for at, expected in points(name).items():
        window = network(name).window(at, axis)
        assert (window.size, window.stride, window.padding) == expected, at


def pushed(path: Path, reads: set[int]) -> set[int]:
    """What a set of units of a path's output reads of its input, position by position: no formula, no graph."""
    for part in reversed(path):
        if isinstance(part, Branches):
            reads = set().union(*(pushed(branch, reads) for branch in part.paths))
        else:
            steps = [part.dilation * tap - part.left for tap in range(part.kernel_size)]
            reads = {part.stride * unit + step for unit in reads for step in steps}
    return reads


@pytest.mark.parametrize("name", ["vgg16", "resnet50", "inception_v3", "tcn", "aspp", "efficientnet_b0"])
def test_sets_of_positions_pushed_through_the_layers_agree(name: str) -> None:
    size, stride, padding = network(name).field
    here, there = pushed(network(name).path, {0}), pushed(network(name).path, {5})
    assert (min(here), max(here)) == (-padding, size - padding - 1)
    assert min(there) - min(here) == 5 * stride
    assert network(name).window().density == pytest.approx(len(here) / size)


# Lengths of the output as the papers, TF-Slim and torchvision have them.
OUTPUTS = {"inception_v3": 8, "alexnet": 6, "alexnet_v2": 5, "patchgan_70": 30, "dqn": 7, "shape_encoder": 1}


@pytest.mark.parametrize("name", [n for n, known in EVERY.items() if known[1] == 32 or n in OUTPUTS])
def test_the_output_is_as_long_as_it_is_known_to_be(name: str) -> None:
    one = network(name)
    expected = OUTPUTS.get(name, -(-one.input_size // 32) if name != "patchgan_286" else 6)
    for axis in (0, 1):
        assert one.graph(one.input_size, axis).nodes[-1].shape == (expected,)


def test_only_the_causal_networks_are_misaligned() -> None:
    """A shortcut past a convolution that is padded on the left alone looks further to the right."""
    assert {name for name, one in NETWORKS.items() if not one.window().aligned} == {"tcn", "wavenet"}


def test_the_stride_of_a_block_decides_the_field_of_resnet50() -> None:
    sizes = {name: network(name).window().size for name in ("resnet50", "resnet50_original", "resnet_v1_50")}
    assert sizes == {"resnet50": 427, "resnet50_original": 483, "resnet_v1_50": 483}


# --- the published numbers ------------------------------------------------------------------------------------------


def test_the_published_numbers_stand_beside_the_networks() -> None:
    published = {name: one.published for name, one in NETWORKS.items() if one.published is not None}
    sizes = {name: (size, None, None) for name, size in SIZES.items()}
    assert published == DISTILL | TORCHVISION | sizes


@pytest.mark.parametrize("name", NETWORKS)
def test_a_number_has_a_source_and_a_network_a_reference(name: str) -> None:
    one = network(name)
    assert one.name == name
    assert bool(one.source) == (one.published is not None)
    assert one.reference.startswith(("arXiv ", "doi "))
    known = one.published or (None, None, None)
    assert all(a in (None, b) for a, b in zip(known, one.field, strict=True))


@pytest.mark.parametrize(("of", "printed", "true"), [("vgg16", 308, 212), ("patchgan_286", 574, 286)])
def test_a_misprint_is_right_for_other_layers(of: str, printed: int, true: int) -> None:
    (misprint,) = [m for m in MISPRINTS if m.of == of]
    assert misprint.printed == printed == rf.receptive_field(misprint.layers).size
    assert network(of).field[0] == true


def test_a_stack_gives_its_layers_for_the_recursion() -> None:
    layers = network("vgg16").layers
    assert [layer.name for layer in layers[:4]] == ["conv1_1", "conv1_2", "pool1", "conv2_1"]
    field = rf.receptive_field(layers)
    assert (field.size, field.stride, field.padding) == (212, 32, 90)


# --- the zoo's modules ----------------------------------------------------------------------------------------------


def on_meta(name: str) -> tuple[rf.Analysis, zoo.Network]:
    """The analysis of a module at full width; without memory, since the values of weights do not matter."""
    member = zoo.networks()[name]
    with torch.device("meta"):
        return rf.analyze(member.make(), input_size=member.input_shape), member


@pytest.mark.parametrize("name", [name for name, n in zoo.networks().items() if n.published and n.name not in POINTS])
def test_a_module_gives_the_known_number(name: str) -> None:
    analysis, member = on_meta(name)
    assert member.layer is not None
    assert member.published is not None
    found, axes = analysis[member.layer], len(member.input_shape) - 2
    assert (found.size, found.stride, found.padding) == tuple((n,) * axes for n in EVERY[member.published])
    assert member.field == EVERY[member.published]


@pytest.mark.parametrize("name", [name for name in POINTS if name in zoo.NAMES])
def test_a_module_gives_every_point_of_the_published_table(name: str) -> None:
    analysis, _ = on_meta(name)
    paths = {at: at for at in points(name)}
    if name == "vgg16":  # numbered as in torchvision
        paths = {"conv1_1": "features.0", "pool1": "features.4", "conv2_1": "features.5", "pool2": "features.9"}
        paths |= {"conv3_1": "features.10", "conv3_2": "features.12", "pool3": "features.16", "conv4_1": "features.17"}
        paths |= {"conv4_2": "features.19", "pool4": "features.23", "conv5_1": "features.24", "pool5": "features.30"}
        paths |= {"conv5_2": "features.26"}
    for at, expected in points(name).items():
        found = analysis[paths[at]]
        assert (found.size, found.stride, found.padding) == tuple((n, n) for n in expected), at


def test_other_variants_of_the_zoo_have_their_own_number() -> None:
    for model, layer, name in (
        (zoo.resnet50(1 / 64, variant="v1"), "layer4", "resnet50_original"),
        (zoo.resnet101(1 / 64, variant="v1"), "layer4", "resnet101_original"),
        (zoo.efficientnet_like(1 / 64, squeeze_excite=False), "features", "efficientnet_b0"),
        (zoo.patchgan(1 / 64, 286), "model", "patchgan_286"),
    ):
        found = rf.analyze(model, input_size=(1, 3, 256, 256))[layer]
        assert (found.size, found.stride, found.padding) == tuple((n, n) for n in EVERY[name]), name
    pyramid = rf.analyze(zoo.deeplab_aspp(1 / 256, image_pooling=False, num_classes=0), input_size=(1, 8, 33, 33))
    found = pyramid.output
    assert (found.size, found.stride, found.padding) == tuple((n, n) for n in EVERY["aspp"])


def test_the_gates_of_an_efficientnet_left_out_leave_its_convolutions() -> None:
    analysis, _ = on_meta("efficientnet_like")
    assert analysis["features"].whole_input == (True, True)
    found = analysis.local["features"]
    assert (found.size, found.stride, found.padding) == ((851, 851), (32, 32), (425, 425))


# --- asking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (
            lambda: network("resnet_v1_5"),
            UnknownNameError,
            "There is no published network 'resnet_v1_5'. Nearest: 'resnet_v1_50', 'resnet_v1_152', 'resnet_v1_200', "
            "'resnet_v1_101', 'resnet50'.",
        ),
        (
            lambda: network("vgg16").window("pool6"),
            UnknownNameError,
            "There is no layer 'pool6'. It was looked for in network 'vgg16'. "
            "Nearest: 'pool5', 'pool4', 'pool3', 'pool2', 'pool1'.",
        ),
        (
            lambda: network("vgg16").window(axis=2),
            ModelError,
            "`axis` must be 0 or 1: published networks are described along two; got 2.",
        ),
        (
            lambda: network("resnet18").layers,
            NoSingleAnswerError,
            "Network 'resnet18' has branches, so it is no stack of layers. Ask its .window() or its .graph().",
        ),
        (
            lambda: network("dqn").graph(10),
            LayerError,
            "Layer 'conv2' spans 4 positions, but only 1 + 0 + 0 (input and padding) reach it. "
            "Use a longer input or more padding.",
        ),
    ],
)
def test_a_question_without_an_answer_gets_one_clear_sentence(ask, error: type[ReceptiveFieldError], message: str):
    with pytest.raises(error) as caught:
        ask()
    assert str(caught.value) == message


def test_the_list_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        NETWORKS["mine"] = network("vgg16")  # type: ignore[index]


def test_published_networks_need_the_standard_library_alone() -> None:
    code = (
        "import sys; from rflib import networks; assert networks.network('vgg16').field == (212, 32, 90); "
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'torch', 'numpy', 'matplotlib', 'tqdm'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_names_that_the_module_promises_exist() -> None:
    assert all(hasattr(networks, name) for name in networks.__all__)
