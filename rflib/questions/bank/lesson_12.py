"""Questions of lesson 12: effective fields of real networks, training, and a puzzle that reach cannot solve."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Number, Option

if TYPE_CHECKING:  # measuring and training need torch; looking at one's progress does not
    from rflib.effective.spread import EffectiveReceptiveField
    from rflib.experiments import FieldInTraining, PuzzleRun

DISTANCE, STEPS, MOST = 6, 150, 400  # as in the lesson: a network that learns stops early
PLAIN, DILATED = "plain, 12 layers", "dilations 1, 2, 4"
HE, QUIET = "He, 12 layers", "He, output made small"
SMALL, MATCHED = "He, weights made small", "He, weights and steps made small"
_BELL = 20.0  # sigma of a Gaussian map, in input positions


@cache
def _run(variant: str) -> PuzzleRun:
    from rflib.experiments import solve_sign_puzzle

    steps = MOST if variant in (HE, QUIET, MATCHED) else STEPS
    (run,) = solve_sign_puzzle(DISTANCE, [variant], seeds=(0,), steps=steps, progress=False).runs
    return run


def _learners() -> str:
    able = _run(PLAIN).learned, _run(DILATED).learned
    return {(True, True): "both", (True, False): "plain", (False, True): "dilated", (False, False): "none"}[able]


def _told(*variants: str) -> str:
    runs = map(_run, variants)
    return "\n".join(f"{run.variant}: field {run.field}, share of signs right {run.accuracy:.2f}" for run in runs)


@cache
def _resnet_field(size: int = 224) -> EffectiveReceptiveField:
    """Of the middle unit of a ResNet-18's last map, random weights, one noise image."""
    import torch

    from rflib.effective.effective import effective_receptive_field
    from rflib.experiments.training import on_its_own
    from rflib.zoo import resnet18

    with on_its_own(0):
        model = resnet18().double().eval()
        return effective_receptive_field(model, torch.randn(1, 3, size, size), layer="layer4", progress=False)


def _rulers_apart() -> str:
    field = _resnet_field()
    ratio = field.sigma[0] / field.gaussian().sigma[0]
    return "same" if ratio < 1.2 else "half" if ratio < 3 else "far"


def _reveal_rulers() -> str:
    field = _resnet_field()
    fit = field.gaussian()
    return f"Standard deviation {field.sigma[0]:.0f} pixels, fitted Gaussian {fit.sigma[0]:.0f}, the same map."


def _share_of_input() -> str:
    ratio = _resnet_field(320).area_ratio(0.5) / _resnet_field().area_ratio(0.5)
    return "falls" if ratio < 0.8 else "rises" if ratio > 1.25 else "stays"


def _reveal_share() -> str:
    said = []
    for size in (224, 320):
        field = _resnet_field(size)
        said.append(f"{size} pixels: sigma {field.sigma[0]:.0f}, half in {field.area_ratio(0.5):.1%} of the input")
    return "\n".join(said)


@cache
def _stack_sigma(skip: bool) -> float:
    """Of 12 layers with ReLU and He weights, mean over eight networks."""
    import numpy as np
    import torch

    from rflib.effective.effective import effective_receptive_field
    from rflib.effective.spread import EffectiveReceptiveField
    from rflib.experiments import SignalNetwork
    from rflib.experiments.training import he_initialize, on_its_own

    maps = []
    for seed in range(8):
        with on_its_own(seed):
            model = SignalNetwork([1] * 12, skip=skip).double()
            he_initialize(model)
            maps.append(effective_receptive_field(model, torch.randn(8, 1, 101), progress=False).map)
    return EffectiveReceptiveField(np.mean(maps, axis=0)).sigma[0]


def _skip_effect() -> str:
    ratio = _stack_sigma(True) / _stack_sigma(False)
    return "narrower" if ratio < 0.9 else "wider" if ratio > 1.1 else "same"


@cache
def _trained() -> FieldInTraining:
    from rflib.experiments import watch_field

    return watch_field("copy", DISTANCE, seeds=(0,), steps=(0, 100), progress=False)


def _sigma_in_training() -> str:
    ((before,), (after,)) = _trained().before, _trained().after
    ratio = after.sigma / before.sigma
    return "grows" if ratio > 1.5 else "shrinks" if ratio < 0.67 else "stays"


def _reveal_training() -> list[Any]:
    from rflib.figures import draw_field_in_training

    return [draw_field_in_training(_trained())]


def _flips() -> str:
    (after,) = _trained().after
    on, off = _trained().on_marks(after.flips)[0], max(_trained().off_marks(after.flips))
    return "mark" if on > 0.9 and off < 0.1 else "shares" if off >= 0.1 else "none"


def _reveal_flips() -> str:
    (after,) = _trained().after
    share = _trained().on_marks(after.shares)[0]
    on, off = _trained().on_marks(after.flips)[0], max(_trained().off_marks(after.flips))
    return (
        f"The mark has {share:.0%} of the gradient, and flipping it changes {on:.0%} of the answers. All others have "
        f"{1 - share:.0%} together, and flipping any of them changes at most {off:.0%}."
    )


_OBSERVATIONS = {  # of another network: is its effective field narrow, does it learn
    "narrow learns": (True, True),
    "narrow fails": (True, False),
    "wide learns": (False, True),
    "wide fails": (False, False),
}


def _clearing() -> str:
    """The one observation that "whoever is narrow fails" forbids."""
    [name] = [name for name, (narrow, learns) in _OBSERVATIONS.items() if narrow and learns]
    return name


def _fate(variant: str) -> str:
    return "learns" if _run(variant).learned else "fails"


def _reveal_quiet() -> str:
    runs = (_run(PLAIN), _run(QUIET))
    said = (f"{run.variant}: gradient {run.gradient:.0e}, signs right {run.accuracy:.2f}" for run in runs)
    return "\n".join(said)


@cache
def _signal() -> tuple[float, ...]:
    """Standard deviation over the positions behind each of 12 layers with PyTorch's initialization, over 8 networks."""
    import torch

    from rflib.experiments import SignalNetwork, SignTask
    from rflib.experiments.training import data_generator, on_its_own

    found = []
    for seed in range(8):
        with on_its_own(seed), torch.no_grad():
            signs, _ = SignTask(((-DISTANCE, DISTANCE),)).batch(data_generator(seed), 16)
            active, _ = SignalNetwork([1] * 12).activations(signs)
            found.append([float(one[..., 12:-12].std((0, 2)).mean()) for one in active])
    return tuple(sum(column) / len(found) for column in zip(*found, strict=True))


def _signal_left() -> str:
    left = _signal()[-1]
    return "tenth" if left > 0.01 else "thousandth" if left > 0.0003 else "millionths"


def _separating() -> str:
    """Which number is higher for every stack that learned than for every one that failed, or lower for all."""
    runs = [_run(name) for name in (PLAIN, HE, QUIET, SMALL, MATCHED)]
    [name] = [name for name in _NUMBERS if _separates([(getattr(r, name), r.learned) for r in runs])]
    return name


_NUMBERS = ("field", "share_at_marks", "gradient", "switching_early")


def _separates(seen: list[tuple[float, bool]]) -> bool:
    good, bad = ([value for value, learned in seen if learned is wanted] for wanted in (True, False))
    return min(good) > 1.2 * max(bad) or 1.2 * max(good) < min(bad)  # clearly apart, and not by a rounding error


def _reveal_separating() -> str:
    rows = []
    for name in (PLAIN, SMALL, HE, QUIET, MATCHED):
        run = _run(name)
        numbers = f"field {run.field}, marks {run.share_at_marks:.3f}, gradient {run.gradient:.0e}"
        rows.append(f"{name}: {'learned' if run.learned else 'failed'}; {numbers}, switch {run.switching_early:.2f}")
    return "\n".join(rows)


def _height_rule() -> int:
    import numpy as np

    from rflib.effective.spread import EffectiveReceptiveField

    places = np.arange(-200, 201)
    return round(EffectiveReceptiveField(np.exp(-(places**2) / (2 * _BELL**2))).size())


def _harmless() -> str:
    """Which of four changes leaves the sigma of a small ReLU network as it is."""
    import torch
    from torch import nn

    from rflib.effective.effective import effective_receptive_field
    from rflib.experiments.training import he_initialize, on_its_own

    def network(seed: int) -> nn.Sequential:
        torch.manual_seed(seed)
        parts = [part for n in range(6) for part in (nn.Conv1d(8 if n else 1, 8, 3, padding=1), nn.ReLU())]
        model = nn.Sequential(*parts, nn.Conv1d(8, 1, 1)).double()
        he_initialize(model)
        return model

    def sigma(model: nn.Module, seed: int, contribution: Any = "absolute") -> float:
        inputs = torch.randn(1, 1, 41, generator=torch.Generator().manual_seed(seed))
        return effective_receptive_field(model, inputs, contribution=contribution, progress=False).sigma[0]

    with on_its_own(0):
        one, louder = network(0), network(0)
        with torch.no_grad():
            louder.get_parameter("12.weight").mul_(1000)  # behind six pairs: the last layer
        found = {
            "weights": sigma(network(1), 0),
            "inputs": sigma(one, 1),
            "square": sigma(one, 0, "squared"),
            "louder": sigma(louder, 0),
        }
        [name] = [name for name, value in found.items() if abs(value - sigma(one, 0)) < 1e-9]
    return name


LESSON = Lesson(
    "12",
    "The effective field in practice",
    "lessons/12_effective_in_practice.ipynb",
    (
        Choice(
            "Network A: 12 layers of kernel 3, a window of 25 positions. Network B: three layers of kernel 3 with "
            "dilations 1, 2, 4, a window of 15. Both read the two signs that the answer depends on, "
            "6 positions to the left and to the right. After 150 training steps, which one is right nearly always?",
            id="12-both-see",
            prediction=True,
            truth=_learners,
            reveal=lambda: _told(PLAIN, DILATED),
            options=[
                Option(
                    "both",
                    "You took reach for enough. It is necessary: without it nothing can be learned. Whether "
                    "a network that sees the answer learns it is another question.",
                    "A2",
                    "Both: both see all that they need.",
                ),
                Option(
                    "plain",
                    "You took the larger window, or the deeper network, for the better one. Beyond the reach that the "
                    "task needs, more window brings no more of the answer into view.",
                    "A2",
                    "A alone: it is deeper and sees more.",
                ),
                Option("dilated", text="B alone."),
                Option(
                    "none",
                    "You doubt that a product of two signs can be learned from examples. One of the two learns it in "
                    "a few dozen steps.",
                    None,
                    "Neither.",
                ),
            ],
        ),
        Choice(
            "One map, of one unit of a ResNet-18 with random weights. You compute its standard deviation, and you fit "
            "a Gaussian to it. If the map were a Gaussian, both would give the same sigma. What do you expect?",
            id="12-rulers",
            prediction=True,
            truth=_rulers_apart,
            reveal=_reveal_rulers,
            options=[
                Option(
                    "same",
                    "You carried the bell of lesson 11 over. It belongs to many equal layers in a row. This map is a "
                    "sharp peak on a wide, low plain.",
                    "A14",
                    "They agree to a tenth or so.",
                ),
                Option(
                    "half",
                    "You expect a map that is somewhat unlike a bell. This one is very unlike it: the fit sees the "
                    "peak, the standard deviation sees the plain around it.",
                    "A14",
                    "They differ by a factor of about two.",
                ),
                Option("far", text="They differ by a factor of more than three."),
            ],
        ),
        Choice(
            "Somebody reports: *half of the gradient of this unit lies in 5 % of the input*, for images of 224 pixels. "
            "You measure the same network, the same weights, on images of 320 pixels. What happens to the 5 %?",
            id="12-larger-input",
            prediction=True,
            truth=_share_of_input,
            reveal=_reveal_share,
            options=[
                Option("falls", text="It falls to about a half."),
                Option(
                    "stays",
                    "You took it for a property of the network. It is a share *of the input*: the map hardly changes, "
                    "and it is divided by twice as many pixels.",
                    "M19",
                    "It stays about the same: the network has not changed.",
                ),
                Option(
                    "rises",
                    "You expect the unit to use the new room. Its map hardly changes, and it is divided by more "
                    "pixels.",
                    "M19",
                    "It rises: there is more to see.",
                ),
            ],
        ),
        Choice(
            "Twelve layers of kernel 3 with ReLU and random weights. You add a skip connection around each layer but "
            "the first. The window stays at 25. What happens to sigma, the width of the effective field?",
            id="12-skip",
            prediction=True,
            truth=_skip_effect,
            reveal=lambda: f"Without skips sigma is {_stack_sigma(False):.1f}, with them {_stack_sigma(True):.1f}.",
            options=[
                Option("narrower", text="It gets narrower."),
                Option(
                    "same",
                    "You took the window for the effective field. The window is the range, sigma the spread, and the "
                    "skips change the spread.",
                    "M18",
                    "It stays: the window stays.",
                ),
                Option(
                    "wider",
                    "You expect that more paths carry more from afar. The new paths are short: a skip is a step that "
                    "does not move.",
                    "A5",
                    "It gets wider: there are many more paths.",
                ),
            ],
        ),
        Choice(
            "A stack of eight layers learns to copy the sign 6 positions to its left. Before training, that position "
            "has about 0.01 of the gradient. What does training do to sigma, the width of the effective field?",
            id="12-training",
            prediction=True,
            truth=_sigma_in_training,
            reveal=_reveal_training,
            options=[
                Option(
                    "grows",
                    "You expect that learning to look further means a wider field. The field *moves*: the share goes "
                    "to one position, and a peak away from the center need not be a wide map.",
                    "A11",
                    "Sigma grows to twice as much or so: it has to look further.",
                ),
                Option("stays", text="Sigma changes by less than a third."),
                Option(
                    "shrinks",
                    "You expect all of the gradient on the one position that counts. Most of it stays elsewhere, "
                    "where it does no harm.",
                    "A14",
                    "Sigma shrinks to half or less: only one position counts.",
                ),
            ],
        ),
        Choice(
            "After training, the marked position has about a third of the gradient, and the other positions of the "
            "window share two thirds. Now flip signs of the input, one at a time. Which flips change the network's "
            "answer?",
            id="12-flips",
            prediction=True,
            truth=_flips,
            reveal=_reveal_flips,
            options=[
                Option(
                    "shares",
                    "You read the shares as chances. The gradient is a slope: how the output *number* would move under "
                    "a tiny change. A number can move a lot and keep its sign.",
                    "M20",
                    "The mark in about a third of the cases, and others now and then, as their shares say.",
                ),
                Option("mark", text="The mark always, any other never."),
                Option(
                    "none",
                    "You expect one sign among many to be outvoted. The network has learned which one counts.",
                    "A5",
                    "None by itself: a single sign among 17 hardly counts.",
                ),
            ],
        ),
        Choice(
            "Your suspicion: *the plain stack fails because its effective field is too narrow*. You may look at one "
            "more network. Which result would clear the suspect?",
            id="12-alibi",
            prediction=True,
            truth=_clearing,
            reveal=lambda: "Whoever is narrow fails: one narrow network that learns contradicts that, and no other.",
            options=[
                Option("narrow learns", text="A network with an equally narrow effective field, and it learns."),
                Option(
                    "narrow fails",
                    "That agrees with the suspicion. It makes it no truer: whatever else the two have in common could "
                    "be the cause.",
                    None,
                    "Another network with a narrow effective field, and it fails too.",
                ),
                Option(
                    "wide learns",
                    "That agrees with the suspicion too. You have seen one such network already.",
                    None,
                    "A network with a wide effective field, and it learns.",
                ),
                Option(
                    "wide fails",
                    "That says that a wide field is not enough. The suspicion says that a narrow one is too little.",
                    None,
                    "A network with a wide effective field, and it fails.",
                ),
            ],
        ),
        Choice(
            "Take the 12 layers with He initialization, which learn. Multiply the output by a tiny number, so that the "
            "gradient is smaller than that of the stack that fails. Training by Adam. What happens?",
            id="12-gradient",
            prediction=True,
            truth=lambda: _fate(QUIET),
            reveal=_reveal_quiet,
            options=[
                Option("learns", text="It learns all the same."),
                Option(
                    "fails",
                    "You took the vanishing gradient for the culprit. Adam divides each gradient by its own size, so "
                    "its steps do not care how small it is.",
                    None,
                    "It stays at chance: with such a gradient nothing moves.",
                ),
            ],
        ),
        Choice(
            "The He network again. Divide the weights of every layer by 2.4, and multiply the output by what was lost. "
            "At the start the two networks compute the same function: same outputs, same gradient, same effective "
            "field. Both are trained alike. What happens?",
            id="12-same-start",
            prediction=True,
            truth=lambda: _fate(SMALL),
            reveal=lambda: _told(HE, SMALL),
            options=[
                Option(
                    "learns",
                    "You took networks that compute the same for networks that train the same. A step changes weights, "
                    "not functions, and the same step means more to small weights.",
                    None,
                    "Both learn: it is the same function.",
                ),
                Option("fails", text="The one with the small weights stays at chance."),
            ],
        ),
        Choice(
            "The signs at the input vary by 1. Behind 12 layers as PyTorch initializes them, how much do the values of "
            "a channel still vary from position to position?",
            id="12-signal",
            prediction=True,
            truth=_signal_left,
            reveal=lambda: f"By {_signal()[0]:.1g} behind the first layer, by {_signal()[-1]:.0e} behind the last.",
            options=[
                Option(
                    "tenth",
                    "You expect an initialization to keep the signal, as He's does. PyTorch's shrinks it in every "
                    "layer.",
                    None,
                    "By about a tenth.",
                ),
                Option(
                    "thousandth",
                    "You expect it to lose about a half in each layer. It loses more, and twelve factors multiply.",
                    None,
                    "By about a thousandth.",
                ),
                Option("millionths", text="By a few hundred-thousandths, or less."),
            ],
        ),
        Number(
            "The map of a unit is exactly a Gaussian with sigma 20, on one axis. How many positions does the rule of "
            "Luo et al. count, that is: how many are higher than 4.55 % of the highest value?",
            id="12-height-rule",
            unit="positions",
            tolerance=1,
            truth=_height_rule,
            reveal=lambda: f"{_height_rule()}: a bell is that high up to 2.49 sigma, on both sides.",
            hints=(
                "How many sigmas from the middle has a bell 4.55 % of its height?",
                "exp(-z²/2) = 0.0455 gives z = 2.49.",
                "Twice 2.49 sigma, and the position in the middle.",
            ),
            mistakes=[
                (
                    lambda: round(4 * _BELL),
                    "A14",
                    "You went two sigma to each side. That is where 4.55 % of the *area* is left; the rule is about "
                    "the height.",
                ),
                (lambda: _height_rule() // 2, "A14", "You counted one side only."),
                (lambda: round(2 * _BELL), "A14", "You went one sigma to each side."),
                (lambda: round(_BELL), "A14", "That is sigma itself. The rule counts a width, on both sides."),
            ],
        ),
        Choice(
            "A small network with ReLU. Which of these changes leaves the sigma of its effective field exactly as it "
            "is?",
            id="12-harmless",
            truth=_harmless,
            reveal=lambda: "A factor that all positions share cancels in the shares. The other three change the map.",
            options=[
                Option(
                    "weights",
                    "You hold that the architecture decides. It decides what *can* count, the weights what does.",
                    "M19",
                    "Draw its weights again, in the same way.",
                ),
                Option(
                    "inputs",
                    "You hold that weights decide alone. Which ReLUs are on depends on the input.",
                    "M19",
                    "Measure it on another input.",
                ),
                Option(
                    "square",
                    "You took it for a matter of taste. Squares favor what is large already: the map gets narrower.",
                    "A14",
                    "Square the gradient in the place of its absolute value.",
                ),
                Option("louder", text="Multiply the weights of its last layer by 1,000."),
            ],
        ),
        Choice(
            "Five stacks of 12 layers, all without skip connections: two failed and three learned. Which of these "
            "numbers, on its own, tells those who failed from those who learned?",
            id="12-separates",
            truth=_separating,
            reveal=_reveal_separating,
            options=[
                Option(
                    "field",
                    "All five have the same window.",
                    "A2",
                    "The size of the window.",
                ),
                Option(
                    "share_at_marks",
                    "You kept the first story. Networks with the same effective field are on both sides.",
                    "A5",
                    "Before training, the share of the gradient on the two marks.",
                ),
                Option(
                    "gradient",
                    "You kept the second story. One that learned has a smaller gradient than one that failed.",
                    None,
                    "Before training, the size of the gradient.",
                ),
                Option("switching_early", text="After 30 steps, the share of ReLUs that still switch on and off."),
            ],
        ),
    ),
)
