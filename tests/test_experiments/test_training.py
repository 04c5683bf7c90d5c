"""What all experiments promise: the same result for the same seed, and torch left as it was found."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
import torch

from rflib import experiments as ex
from rflib.errors import ModelError
from rflib.experiments.results import mean, spread
from rflib.experiments.training import bar_over, on_its_own

# Each experiment, as short as it can be.
SHORT = {
    "copy": lambda seed=0: ex.run_copy_task(2, depths=(2,), seeds=(seed,), steps=2, progress=False),
    "comb": lambda seed=0: ex.read_comb([(1,)], largest=2, seeds=(seed,), steps=2, progress=False),
    "puzzle": lambda seed=0: ex.solve_sign_puzzle(2, ["one kernel of 13"], seeds=(seed,), steps=2, progress=False),
    "field": lambda seed=0: ex.watch_field("copy", 2, seeds=(seed,), steps=(0, 2), progress=False),
    "mosaics": lambda seed=0: ex.label_mosaics((3,), depth=1, seeds=(seed,), steps=2, progress=False),
    "stereo": lambda seed=0: ex.match_stereo((3,), largest=3, seeds=(seed,), steps=2, progress=False),
    "shift": lambda seed=0: ex.shift_inputs(["stride"], shifts=(1,), seeds=(seed,), progress=False),
    "capstone": lambda seed=0: ex.train_capstone(
        {"one layer": [ex.conv(4)]}, seeds=(seed,), size=28, steps=1, progress=False
    ),
}
every = pytest.mark.parametrize("name", SHORT)


@every
def test_the_same_seed_gives_the_same_result(name: str) -> None:
    torch.manual_seed(1)
    first = SHORT[name]()
    torch.manual_seed(2)
    assert SHORT[name]() == first


@every
def test_another_seed_gives_another(name: str) -> None:
    first, second = SHORT[name](0).to_dict(), SHORT[name](1).to_dict()
    for found in (first, second):
        for run in found.get("runs", found.get("snapshots")):
            del run["seed"]
    assert first != second


@every
def test_torch_is_left_as_it_was_found(name: str) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    SHORT[name]()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    assert torch.are_deterministic_algorithms_enabled() == deterministic
    assert torch.is_grad_enabled()


@every
def test_the_caller_s_settings_change_nothing(name: str) -> None:
    expected = SHORT[name]()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode():
            found = SHORT[name]()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert found == expected


def test_an_error_inside_leaves_torch_as_it_was_found() -> None:
    before = torch.random.get_rng_state()
    torch.set_default_dtype(torch.float64)
    try:
        with pytest.raises(ZeroDivisionError), on_its_own(0):
            _ = torch.rand(3).float().numel() / 0
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(torch.random.get_rng_state(), before)


@every
def test_a_result_is_frozen_plain_and_readable(name: str) -> None:
    result = SHORT[name]()
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.steps = 1
    data = json.loads(json.dumps(result.to_dict()))
    assert data["title"] == result.title
    assert data["finding"] == result.finding
    headings, rows = result.table()
    assert rows
    assert {len(row) for row in rows} == {len(headings)}
    assert str(result).splitlines()[0] == result.title
    assert str(result).splitlines()[-1] == result.finding
    assert "<table" in result._repr_html_()
    assert "nan" not in str(result).replace("at most nan", "")
    plain = (int, float, str, bool, type(None), tuple)

    def leaves(value: object) -> None:
        assert isinstance(value, plain) or dataclasses.is_dataclass(value)
        if isinstance(value, tuple):
            for entry in value:
                leaves(entry)
        elif dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                leaves(getattr(value, field.name))

    leaves(result)


def test_a_bar_can_be_turned_off_and_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with bar_over(3, "quiet", progress=False) as bar:
        assert bar.disable
    with bar_over(3, "short", progress=True) as bar:
        assert not bar.disable
        assert bar.delay == 1
        assert not bar.leave
    ex.run_copy_task(2, depths=(2,), steps=2)
    assert capsys.readouterr().err == ""


def test_words_for_several_numbers() -> None:
    assert spread([0.501, 0.5]) == "0.50"
    assert spread([0.9, 0.5, 0.7]) == "0.50-0.90"
    assert spread([]) == "-"
    assert mean([1, 2]) == 1.5
    assert math.isnan(mean([]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ex.run_copy_task(0), "`distance` must be an integer >= 1; got 0."),
        (lambda: ex.run_copy_task(2.5), "`distance` must be an integer >= 1; got 2.5."),
        (
            lambda: ex.run_copy_task(kernel_sizes=(4,)),
            "`kernel_sizes` must be odd, so that each side gains as much; got 4.",
        ),
        (lambda: ex.run_copy_task(initialization="best"), "`initialization` must be 'he' or 'default'; got 'best'."),
        (lambda: ex.run_copy_task(seeds=3), "`seeds` must be several integers, for example (0, 1, 2); got 3."),
        (lambda: ex.run_copy_task(seeds=()), "`seeds` is empty; give at least one integer, for example (0,)."),
        (
            lambda: ex.run_copy_task(300, depths=(1,), steps=1, progress=False),
            "Signals of 256 positions are too short for marks at -300 and 0; use marks closer than 128 positions.",
        ),
        (lambda: ex.read_comb(kernel_size=2), "`kernel_size` must be odd, so that the window is centered; got 2."),
        (lambda: ex.watch_field("other"), "`task` must be 'copy' or 'product'; got 'other'."),
        (
            lambda: ex.watch_field(steps=(5,)),
            "`steps` needs at least two moments, for example (0, 200); got (5,).",
        ),
        (lambda: ex.label_mosaics((17,)), "`fields` must be odd and at most 1 + 2 * depth = 15; got 17."),
        (lambda: ex.match_stereo((4,)), "`fields` must be odd, since every layer adds 2; got 4."),
        (lambda: ex.match_stereo(noise=0.7), "`noise` is a share of dots, 0 to 0.5; got 0.7."),
        (lambda: ex.solve_sign_puzzle(variants=[]), "`variants` is empty; leave it out for all of them."),
        (lambda: ex.train_capstone(size=60, progress=False), "`size` must be a multiple of 28 pixels; got 60."),
        (
            lambda: ex.shift_inputs(shifts=()),
            "`subsamplings` and `shifts` each need at least one entry; leave them out for all.",
        ),
    ],
)
def test_a_bad_argument_is_named(call: object, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        call()  # type: ignore[operator]
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: ex.solve_sign_puzzle(variants=["plain, 7 layers"]), "'plain, 6 layers'"),
        (lambda: ex.shift_inputs(["max pooling"]), "'max pool'"),
        (lambda: ex.train_capstone(["mix"]), "'mixed'"),
    ],
)
def test_an_unknown_name_lists_the_nearest(call: object, named: str) -> None:
    with pytest.raises(LookupError, match=named):
        call()  # type: ignore[operator]
