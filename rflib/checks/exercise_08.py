"""Exercise 08, capstone: a trained network, handed in as layers and weights, run by the judge on scenes of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from rflib.analysis import analyze
from rflib.checks.task import Designed, Inputs, Property, Rule
from rflib.errors import ReceptiveFieldError
from rflib.experiments.capstone import NOISE, score
from rflib.experiments.capstone_networks import CapstoneNetwork, design_from, multiply_adds
from rflib.experiments.capstone_results import INK_ACCURACY, MASK_IOU
from rflib.experiments.digits import ENLARGED, draw_scenes
from rflib.experiments.training import data_generator, on_its_own

BUDGET = 2_000  # multiply-adds a pixel: less than any network of the lesson costs
SIZE = 56  # pixels of a scene along each axis
SCENES = 64
MOST_STAGES = 60
LARGEST = {"channels": 1024, "kernel_size": SIZE, "dilation": SIZE}  # beyond this is refused before anything is built
AT_ONCE = 8  # scenes, so that a network of many channels stays small in memory

BUDGET_ASKED, ACCURACY_ASKED, MASK_ASKED = "field and budget", "accuracy", "mask"


class HandedInError(ValueError):
    """An answer from which no network can be built; the message begins in the middle of a sentence."""


def network_of(answer: Any) -> CapstoneNetwork:
    """The network that was handed in, in eval mode.

    Args:
        answer: {"design": stages as plain data, "weights": {name: nested numbers}, as `state_dict` names them}.

    Raises:
        HandedInError: If it is something else, costs more than the budget, or the weights do not fit the layers.
    """
    if not isinstance(answer, dict) or set(answer) != {"design", "weights"}:
        raise HandedInError('it is no dictionary of "design" and "weights"')
    design = _design(answer["design"])
    cost = float(multiply_adds(design))
    if cost > BUDGET:
        raise HandedInError(f"it costs {cost:,.0f} multiply-adds a pixel; the budget is {BUDGET:,}")
    with on_its_own(0):
        model = CapstoneNetwork(design)
    model.load_state_dict(_weights(answer["weights"], model.state_dict()))
    _try_out(model.eval())
    return model


def _try_out(model: CapstoneNetwork) -> None:
    """Raise where the network has no score for every pixel: a length that is odd before a pool does not come back."""
    try:
        shape = model(torch.zeros(1, 1, SIZE, SIZE)).shape[2:]
    except RuntimeError:
        shape = None
    if shape != (SIZE, SIZE):
        got = "fails" if shape is None else f"gives {' x '.join(map(str, shape))} scores"
        raise HandedInError(f"for a scene of {SIZE} x {SIZE} pixels it {got}; {SIZE} can be halved three times at most")


class _InParts(nn.Module):
    """A network that is shown a few scenes at a time."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([self.model(part) for part in torch.split(images, AT_ONCE)])


def _design(stages: Any) -> Any:
    if not isinstance(stages, list) or not 1 <= len(stages) <= MOST_STAGES:
        raise HandedInError(f'"design" is no list of 1 to {MOST_STAGES} stages')
    for number, stage in enumerate(stages, start=1):
        if not isinstance(stage, dict):
            raise HandedInError(f"stage {number} is no dictionary; hand in `asdict(stage)` for each")
        for name, most in LARGEST.items():
            if not _counts(stage.get(name, 1), most):
                raise HandedInError(f"`{name}` of stage {number} is no whole number up to {most:,}")
    try:
        return design_from(stages)
    except (ReceptiveFieldError, TypeError, ValueError) as error:
        raise HandedInError(f"the design cannot be built: {str(error)[:300]}") from None


def _counts(given: Any, most: int) -> bool:
    return type(given) is int and 0 <= given <= most


def _weights(given: Any, wanted: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    if not isinstance(given, dict) or set(given) != set(wanted):
        missing = sorted(set(wanted) ^ set(given if isinstance(given, dict) else ()))[:2]
        raise HandedInError(
            f'"weights" and the layers differ in {", ".join(missing)}; hand in state_dict() of the network'
        )
    found = {}
    for name, own in wanted.items():
        try:
            tensor = torch.tensor(given[name], dtype=own.dtype)
        except (TypeError, ValueError, RuntimeError, OverflowError):
            raise HandedInError(f"the weights of {name} are no nested lists of numbers") from None
        if tensor.shape != own.shape:
            raise HandedInError(f"the weights of {name} have the shape {tuple(tensor.shape)}, not {tuple(own.shape)}")
        if not bool(torch.isfinite(tensor).all()):
            raise HandedInError(f"the weights of {name} are not all finite")
        found[name] = tensor
    return found


def field_of(model: CapstoneNetwork) -> int:
    """The widest field of an output unit, in pixels on an axis."""
    with on_its_own(0):
        return int(max(analyze(model, input_size=(1, 1, 4 * SIZE, 4 * SIZE))["head"].size))


def lacks(inputs: Inputs, answer: Any) -> str:
    """What a network that was handed in lacks of the requirement that an input names."""
    seed, asked = inputs
    try:
        model = network_of(answer)
    except HandedInError as error:
        return str(error)
    if asked == BUDGET_ASKED:
        field = field_of(model)
        return "" if field >= ENLARGED else f"a unit sees {field} pixels, and a digit is {ENLARGED} wide"
    with on_its_own(seed):
        reached = score(_InParts(model), *draw_scenes(data_generator(seed), SCENES, "test", SIZE, NOISE))
    name, got, wanted = (
        ("accuracy on ink", reached.ink_accuracy, INK_ACCURACY)
        if asked == ACCURACY_ASKED
        else ("IoU of the mask", reached.mask_iou, MASK_IOU)
    )
    return "" if got >= wanted else f"its {name} is {math.floor(1000 * got) / 1000}"


def _wanted(inputs: Inputs) -> str:
    return {
        BUDGET_ASKED: f"at most {BUDGET:,} multiply-adds a pixel and a field of at least {ENLARGED} pixels",
        ACCURACY_ASKED: f"an accuracy on ink of at least {INK_ACCURACY}",
        MASK_ASKED: f"an IoU of the mask of at least {MASK_IOU}",
    }[inputs[1]]


def _field_short(inputs: Inputs, answer: Any) -> bool:
    try:
        return field_of(network_of(answer)) < ENLARGED
    except HandedInError:
        return False


def _at_low_resolution(inputs: Inputs, answer: Any) -> bool:
    """Whether all that reaches the output passed through a pool."""
    kinds = [stage["kind"] for stage in answer["design"]] if "IoU" in lacks(inputs, answer) else []
    return "pool" in kinds and "join" not in kinds


def _property(asked: str, sentence: str, points: int) -> Property:
    def small() -> Iterator[Inputs]:
        yield [1, asked]

    def draw(random: Random) -> Inputs:
        return [random.randrange(2, 10**9), asked]

    return Property(sentence, points, draw, small)


TASKS = (
    Designed(
        "08-network",
        "hand_in",
        (
            _property(BUDGET_ASKED, "field and budget", 2),
            _property(ACCURACY_ASKED, "the class of the ink, on scenes made after the hand-in", 3),
            _property(MASK_ASKED, "ink against background, on scenes made after the hand-in", 2),
        ),
        prepare="nothing",
        show=lambda seed, asked: "",
        fewest=1,
        lacks=lacks,
        wanted=_wanted,
        rules=(
            Rule("A2", "The field is smaller than a digit: no training makes up for what is not read.", _field_short),
            Rule(
                None,
                "Everything passes through a pool: resolution that is lost there does not come back.",
                _at_low_resolution,
            ),
        ),
    ),
)
