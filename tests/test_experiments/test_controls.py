"""The bias control: which biases move, that nothing else differs, and what the runs show."""

from __future__ import annotations

import pytest
import torch

from rflib.errors import ModelError, UnknownNameError
from rflib.experiments import Variant, controls, solve_sign_puzzle
from rflib.experiments.controls import BiasControl, BiasRun, hold_biases
from rflib.experiments.signals import SignalNetwork


def test_only_the_biases_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[list[torch.Tensor], list[torch.Tensor], SignalNetwork]] = []
    real = controls.train

    def spy(model: SignalNetwork, *args: object, **kwargs: object) -> int:
        weights = [c.weight.detach().clone() for c in [*model.convolutions, model.head]]
        biases = [c.bias.detach().clone() for c in [*model.convolutions, model.head]]
        seen.append((weights, biases, model))
        return real(model, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(controls, "train", spy)
    hold_biases(variant=Variant((1, 1, 1)), distance=2, seeds=(4,), steps=3, progress=False)
    (drawn, zero, kept) = seen
    for other in (zero, kept):
        assert all(torch.equal(a, b) for a, b in zip(drawn[0], other[0], strict=True))
        assert all(not bias.any() for bias in other[1])
    assert all(bias.any() for bias in drawn[1])
    after = [[c.bias for c in [*model.convolutions, model.head]] for _, _, model in seen]
    assert all(bias.any() for bias in after[1])
    assert not any(bias.any() for bias in after[2])


@pytest.mark.parametrize("name", ["plain, 12 layers", "He, weights made small", "batch norm, 12 layers"])
def test_as_drawn_is_the_puzzles_own_run(name: str) -> None:
    (run,) = hold_biases(["as drawn"], name, seeds=(2,), steps=35, progress=False).runs
    (same,) = solve_sign_puzzle(variants=[name], seeds=(2,), steps=35, progress=False).runs
    assert (run.switching_at_start, run.switching_early) == (same.switching_at_start, same.switching_early)
    assert (run.accuracy, run.steps) == (same.accuracy, same.steps)


def test_kept_at_zero_the_failing_network_learns() -> None:
    result = hold_biases(["from zero", "kept at zero"], seeds=(1,), steps=250, progress=False)
    assert result.learned("from zero") == (0, 1)
    assert result.learned("kept at zero") == (1, 1)
    (free,), (kept,) = result.of("from zero"), result.of("kept at zero")
    assert free.switching_at_start == kept.switching_at_start
    assert kept.switching_early > free.switching_early


def test_biases_alone_cure_the_network_with_small_weights() -> None:
    name = "He, weights made small"
    result = hold_biases(["as drawn", "kept at zero"], name, seeds=(0,), steps=200, progress=False)
    assert result.learned("as drawn") == (0, 1)
    assert result.learned("kept at zero") == (1, 1)


def test_what_a_result_says() -> None:
    runs = [BiasRun("as drawn", 0, 0.1, 0.0, 0.5, 9, False), BiasRun("kept at zero", 0, 0.8, 0.7, 1.0, 5, True)]
    result = BiasControl(6, "plain, 12 layers", 9, (*runs, BiasRun("kept at zero", 1, 0.6, 0.5, 0.6, 9, False)))
    assert result.finding == ("plain, 12 layers. Learned, by biases: as drawn 0 of 1, kept at zero 1 of 2.")
    assert result.table()[1] == [
        ["as drawn", "0.10", "0.00", "0.50", "0 of 1"],
        ["kept at zero", "0.70", "0.60", "0.60-1.00", "1 of 2"],
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"biases": ["held"]}, r"`biases` must be some of \['as drawn', 'from zero', 'kept at zero'\]; got \['held'\]"),
        ({"biases": []}, "`biases` must be some of"),
        ({"steps": 0}, "`steps` must be an integer >= 1; got 0"),
        ({"distance": 200}, "Signals of 256 positions are too short"),
    ],
)
def test_arguments_out_of_range(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        hold_biases(**{"progress": False, "steps": 2, **wrong})  # type: ignore[arg-type]


def test_an_unknown_variant_lists_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="There is no variant 'plain, 13 layers'"):
        hold_biases(variant="plain, 13 layers", progress=False)
