"""The capstone: designs, their cost, their scores."""

from __future__ import annotations

from dataclasses import asdict
from fractions import Fraction

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from rflib import verify
from rflib.errors import LayerError, ModelError
from rflib.experiments import (
    BUDGET,
    DESIGNS,
    Capstone,
    CapstoneNetwork,
    CapstoneRun,
    Score,
    Stage,
    capstone,
    conv,
    design_from,
    fit_capstone,
    multiply_adds,
    score,
    train_capstone,
)
from rflib.experiments.capstone_networks import coarsest_scale


@pytest.mark.parametrize("name", DESIGNS)
def test_the_cost_is_what_torch_counts(name: str) -> None:
    model = CapstoneNetwork(DESIGNS[name]).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        assert model(torch.zeros(1, 1, 56, 56)).shape == (1, 11, 56, 56)
    assert Fraction(counter.get_total_flops(), 2 * 56 * 56) == multiply_adds(DESIGNS[name])
    assert multiply_adds(DESIGNS[name]) <= BUDGET


def test_the_field_of_the_mixed_design_is_what_poking_finds() -> None:
    small = design_from([conv(2), Stage("save"), Stage("pool"), conv(2, dilation=2), Stage("up"), Stage("join")])
    assert verify(CapstoneNetwork(small).eval(), (1, 1, 24, 24)).agrees


def test_a_design_survives_as_plain_data() -> None:
    for design in DESIGNS.values():
        assert design_from([asdict(stage) for stage in design]) == design


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([Stage("up")], "Stage 1, 'up', would exceed the input's resolution; put a 'pool' before it."),
        ([conv(2), Stage("pool")], "The design ends at 1/2 of the input's resolution; add 'up' stages."),
        ([Stage("join")], "Stage 1, 'join', finds nothing kept; put a 'save' before it."),
        (
            [Stage("save"), Stage("pool"), Stage("join")],
            "Stage 3, 'join', would join maps of 1/1 and 1/2 of the input's resolution; "
            "put as many 'up' as 'pool' between 'save' and 'join'.",
        ),
        (
            "mixed",
            "A design must be a list of stages, for example [conv(8), conv(8)]; got 'mixed'. A design of the "
            "course is DESIGNS['mixed'].",
        ),
        ([7], "Stage 1 must be a Stage or a dict with its fields; got 7."),
        (
            [{"kind": "pool", "stride": 2}],
            "Stage 1 needs `kind` and takes `channels`, `kernel_size`, `dilation`; got {'kind': 'pool', 'stride': 2}.",
        ),
    ],
)
def test_a_design_that_cannot_exist_is_refused(stages: list[object], message: str) -> None:
    with pytest.raises(LayerError) as caught:
        design_from(stages)  # type: ignore[arg-type]
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("deconv",), "`kind` of a stage must be one of conv, pool, up, save, join; got 'deconv'."),
        (("conv", 0), "`channels` of a conv stage must be an integer >= 1; got 0."),
        (("conv", 4, 2), "`kernel_size` of a conv stage must be an odd integer >= 1; got 2."),
        (("conv", 4, 3, 0), "`dilation` of a conv stage must be an integer >= 1; got 0."),
    ],
)
def test_a_stage_that_cannot_exist_is_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(LayerError) as caught:
        Stage(*arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message


@pytest.mark.parametrize("given", [conv(8), {"kind": "conv", "channels": 8}, 8, None])
def test_what_is_no_list_of_stages_is_refused(given: object) -> None:
    with pytest.raises(LayerError, match="A design must be a list of stages"):
        design_from(given)  # type: ignore[arg-type]


def test_scenes_that_the_poolings_do_not_divide_are_refused() -> None:
    message = (
        "`size` must be a multiple of 8 pixels for {}: its poolings leave 1/8 of the resolution. With cells of 28 "
    )
    message += "pixels, take a multiple of 56, or fewer poolings; got {}."
    with pytest.raises(ModelError) as caught:  # all designs are looked at before the first is trained
        train_capstone(["mixed", "pooling alone"], size=28, steps=10**9, progress=False)
    assert str(caught.value) == message.format("the design 'pooling alone'", 28)
    with pytest.raises(ModelError) as caught:
        fit_capstone(DESIGNS["pooling alone"], size=84, steps=10**9, progress=False)
    assert str(caught.value) == message.format("this design", 84)
    with pytest.raises(ModelError, match="`size` must be a multiple of 28 pixels; got 30"):
        fit_capstone(DESIGNS["pooling alone"], size=30, steps=1, progress=False)
    (run,) = train_capstone(["mixed"], size=28, steps=1, progress=False).runs
    assert len(run.prediction) == 28


def test_what_the_check_of_sizes_lets_through_is_what_keeps_its_size() -> None:
    up_and_down = [Stage("pool"), Stage("up"), Stage("pool"), Stage("pool"), Stage("up"), Stage("up")]
    for design in (*DESIGNS.values(), design_from(up_and_down)):
        model = CapstoneNetwork(design).eval()
        for size in range(8, 41):
            image = torch.zeros(1, 1, size, size)
            try:
                kept = model(image).shape[-1] == size
            except RuntimeError:  # maps of two sizes to be joined
                kept = False
            assert kept == (size % coarsest_scale(design) == 0)


def test_batches_hold_as_many_scenes_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(capstone, "train", lambda model, draw, *rest, **more: seen.append(len(draw()[0])))
    fit_capstone([conv(1)], batch=3, progress=False)
    fit_capstone([conv(1)], progress=False)
    train_capstone({"one": [conv(1)]}, batch=5, progress=False)
    assert seen == [3, 8, 5]
    with pytest.raises(ModelError, match="`batch` must be an integer >= 1; got 0"):
        fit_capstone([conv(1)], batch=0)


def test_a_trained_network_lies_in_memory_as_any_other() -> None:
    weights = [p for p in fit_capstone([conv(4), conv(4)], steps=1, progress=False).parameters() if p.ndim == 4]
    assert all(w.is_contiguous() for w in weights)


class Says(nn.Module):
    """Gives the labels it was made with."""

    def __init__(self, labels: torch.Tensor) -> None:
        super().__init__()
        self.labels = labels

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return nn.functional.one_hot(self.labels, 11).permute(0, 3, 1, 2).float()


def test_scores_are_those_counted_by_hand() -> None:
    truth = torch.tensor([[[0, 1, 1, 0], [0, 2, 2, 2]]])
    found = torch.tensor([[[0, 1, 3, 4], [0, 2, 0, 2]]])
    # Ink: 1, 1, 2, 2, 2, of which three are named right. Both call ink: 4. Either does: 6.
    reached = score(Says(found), torch.zeros(1, 1, 2, 4), truth)
    assert reached.ink_accuracy == pytest.approx(3 / 5)
    assert reached.mask_iou == pytest.approx(4 / 6)
    assert score(Says(0 * truth), torch.zeros(1, 1, 2, 4), truth) == Score(0.0, 0.0)
    with pytest.raises(ModelError, match="no ink"):
        score(Says(found), torch.zeros(1, 1, 2, 4), 0 * truth)


def test_scores_on_random_labels_match_a_loop() -> None:
    draw = torch.Generator().manual_seed(0)
    truth, found = (torch.randint(0, 4, (2, 5, 5), generator=draw) for _ in range(2))
    pairs = list(zip(truth.flatten().tolist(), found.flatten().tolist(), strict=True))
    reached = score(Says(found), torch.zeros(2, 1, 5, 5), truth)
    assert reached.ink_accuracy == pytest.approx(sum(t == f for t, f in pairs if t) / sum(t > 0 for t, _ in pairs))
    both, either = sum(t > 0 and f > 0 for t, f in pairs), sum(t > 0 or f > 0 for t, f in pairs)
    assert reached.mask_iou == pytest.approx(both / either)


def test_the_requirements_are_all_needed() -> None:
    def passes(ink: float, mask: float, cost: float) -> bool:
        return CapstoneRun("one", 0, 30, cost, Score(ink, mask), ((0.0,),)).passes

    assert passes(0.78, 0.85, 6500)
    assert not passes(0.77, 0.85, 6500)
    assert not passes(0.78, 0.84, 6500)
    assert not passes(0.78, 0.85, 6501)


def test_the_finding_says_what_is_missed() -> None:
    runs = (
        CapstoneRun("good", 0, 30, 3000.0, Score(0.9, 0.9), ((0.0,),)),
        CapstoneRun("dear", 0, 30, 7000.0, Score(0.5, 0.9), ((0.0,),)),
    )
    finding = Capstone(56, 300, ((0.0,),), ((0.0,),), runs).finding
    assert finding.endswith("good meets all; dear misses ink accuracy and the budget.")


def test_a_short_training_finds_the_ink_and_names_it() -> None:
    result = train_capstone({"mixed": DESIGNS["mixed"]}, steps=120, progress=False)
    (run,) = result.runs
    assert run.score.mask_iou > 0.75
    assert run.score.ink_accuracy > 0.4
    assert (run.field, run.multiply_adds) == (50, 2816)
    assert {v for row in result.labels for v in row} <= set(range(11))
    assert len(result.image) == len(run.prediction) == result.size == 56
