"""Any module is followed, left as found, or refused in one sentence."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import rflib as rf
from rflib.errors import ModelError, ReceptiveFieldError, TracingError, UnknownNameError


class Apply(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Any) -> Any:
        return self.function(*args)


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 2, 3))


SIZE = (1, 3, 32, 32)
EXPECTED = ((13, 13), (4, 4), (1, 1), (6, 6))


def numbers(analysis: rf.Analysis) -> tuple[Any, ...]:
    found = analysis.output
    return found.size, found.stride, found.padding, found.unit_shape


# --- the model is left as found -------------------------------------------------------------------------------------


class Messy(nn.Module):
    """Changes everything that a module can change while it runs."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.conv, self.norm, self.dropout = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout()
        self.register_buffer("steps", torch.zeros(1))
        self.register_buffer("absent", None)
        self.cache: list[Tensor] = []
        self.log: dict[str, Any] = {"old": 1}
        self.seen: set[int] = {7}
        self.count, self.grid, self.how = 0, None, how

    def forward(self, x: Tensor) -> Tensor:
        self.count += 1
        self.cache.append(x)
        self.log["x"] = x.shape
        self.seen.add(self.count)
        self.grid, self.fresh = torch.arange(3), "new"
        self.absent = torch.ones(2)
        self.steps += 1
        self.register_buffer("late", torch.ones(1))
        random.random()
        np.random.rand()
        torch.rand(1)
        y: Tensor = self.dropout(self.norm(self.conv(x)))
        if self.how == "fails":
            raise RuntimeError("the model's own error")
        if self.how == "asks for values" and bool(y.sum() > 1e9):
            y = y + 1
        return y


def everything(model: Messy) -> dict[str, Any]:
    """All that could be changed, as plain data."""
    switches = {
        "gradients": torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
        "fast path": torch.backends.mha.get_fastpath_enabled(),
        "oneDNN": torch._C._get_mkldnn_enabled(),
        "default dtype": torch.get_default_dtype(),
        "global hooks": len(nn.modules.module._global_forward_hooks),
        "global pre-hooks": len(nn.modules.module._global_forward_pre_hooks),
        "attention": F.scaled_dot_product_attention,
        "warning filters": list(warnings.filters),
    }
    generators = {
        "python": random.getstate(),
        "numpy": [
            np.random.get_state()[0],
            *map(np.ndarray.tolist, [np.asarray(p) for p in np.random.get_state()[1:]]),
        ],
        "torch": torch.get_rng_state().tolist(),
    }
    attributes = {
        name: (sorted(vars(module)), len(module._forward_hooks), len(module._forward_pre_hooks), module.training)
        for name, module in model.named_modules()
    }
    tensors = {
        name: (t.tolist(), t.device.type, t.dtype, t.requires_grad, None if t.grad is None else t.grad.tolist())
        for name, t in [*model.named_parameters(), *model.named_buffers()]
    }
    own = (len(model.cache), dict(model.log), set(model.seen), model.count, model.grid, model.absent)
    return {**switches, **generators, "attributes": attributes, "tensors": tensors, "own": own}


@pytest.fixture(params=["works", "fails", "asks for values"])
def messy(request: pytest.FixtureRequest) -> Messy:
    model = Messy(request.param)
    model.norm.eval()  # a mode for each module, not one for all
    model.conv.weight.requires_grad_(False)
    model.conv.bias.grad = torch.ones(4)
    model.conv.register_forward_hook(lambda *_: None)
    model.norm.register_forward_pre_hook(lambda *_: None)
    rf.analyze(small(), input_size=SIZE, training=True)  # what torch loads when it is first asked is not ours
    return model


@pytest.mark.parametrize("training", [False, True])
def test_the_model_is_left_as_found_also_after_an_error(messy: Messy, training: bool) -> None:
    before = everything(messy)
    try:
        rf.analyze(messy, input_size=(2, 3, 8, 8), training=training)
        assert messy.how != "fails"
    except ModelError:
        assert messy.how == "fails"
    after = everything(messy)
    for what, value in before.items():
        assert after[what] == value, what
    assert not hasattr(messy, "fresh")


def test_this_test_of_leaving_no_trace_can_fail() -> None:
    model = Messy("works")
    before = everything(model)
    model(torch.rand(2, 3, 8, 8))
    after = everything(model)
    changed = {what for what in before if after[what] != before[what]}
    assert changed == {"python", "numpy", "torch", "attributes", "tensors", "own"}


def test_answers_and_the_caller_survive_autograd_and_inference_modes() -> None:
    model, x = small(), torch.rand(SIZE, requires_grad=True)
    assert numbers(rf.analyze(model, x)) == EXPECTED
    assert x.grad is None
    assert x.requires_grad
    with torch.inference_mode():
        assert numbers(rf.analyze(model, x)) == EXPECTED
        assert torch.is_inference_mode_enabled()
        assert numbers(rf.analyze(small(), input_size=SIZE)) == EXPECTED
    with torch.no_grad():
        assert numbers(rf.analyze(model, x)) == EXPECTED
        assert not torch.is_grad_enabled()
    loss = model(x).sum()
    rf.analyze(model, x)
    loss.backward()  # the analysis wrote to nothing that the graph of the loss keeps
    assert x.grad is not None


def test_inputs_are_left_as_found() -> None:
    x = torch.rand(1, 1, 8)
    before = x.clone()
    rf.analyze(Apply(lambda t: t.add_(1).mul_(2)), x)
    assert torch.equal(x, before)
    rf.analyze(Apply(lambda t: t.add_(float(t.sum()))), x)
    assert torch.equal(x, before)


def test_training_mode_is_as_asked_whatever_the_model_is_in() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1))
    for mode in (True, False):
        model.train(mode)
        assert rf.analyze(model, input_size=(2, 1, 8, 8)).output.whole_input == (False, False)
        assert rf.analyze(model, input_size=(2, 1, 8, 8), training=True).output.whole_input == (True, True)
        assert model.training is mode


# --- every kind of module -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_model_of_any_precision(dtype: torch.dtype) -> None:
    assert numbers(rf.analyze(small().to(dtype), input_size=SIZE)) == EXPECTED
    assert numbers(rf.analyze(small().to(dtype), torch.rand(SIZE, dtype=dtype))) == EXPECTED


@pytest.mark.parametrize(("model_on", "input_on"), [("meta", "cpu"), ("cpu", "meta"), ("meta", "meta")])
def test_a_model_and_an_input_on_other_devices(model_on: str, input_on: str) -> None:
    model, x = small().to(model_on), torch.zeros(SIZE, device=input_on)
    assert numbers(rf.analyze(model, x)) == EXPECTED
    assert next(model.parameters()).device.type == model_on
    assert x.device.type == input_on


def test_under_autocast_other_default_devices_and_dtypes() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert numbers(rf.analyze(small(), input_size=SIZE)) == EXPECTED
    with torch.device("meta"):
        assert numbers(rf.analyze(small(), input_size=SIZE)) == EXPECTED
    torch.set_default_dtype(torch.float64)
    try:
        assert numbers(rf.analyze(small(), input_size=SIZE)) == EXPECTED
    finally:
        torch.set_default_dtype(torch.float32)


def scripted() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(small().eval())


def traced() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.trace(small().eval(), torch.zeros(SIZE))


def compiled_and_run() -> nn.Module:
    model = torch.compile(small().eval(), backend="eager")
    model(torch.zeros(SIZE))
    return model


def compiled_within() -> nn.Module:
    model = small().eval()
    model[4].compile(backend="eager")
    return model


def hooked() -> nn.Module:
    model = small()
    model[0].register_forward_hook(lambda module, args, out: out * 2)
    model[4].register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    return model


def parametrized() -> nn.Module:
    model = small()
    nn.utils.parametrizations.weight_norm(model[0])
    nn.utils.parametrizations.spectral_norm(model[4])
    return model


WRAPPED: dict[str, Callable[[], nn.Module]] = {
    "torch.jit.script": scripted,
    "torch.jit.trace": traced,
    "torch.fx": lambda: torch.fx.symbolic_trace(small()),
    "torch.compile": lambda: torch.compile(small(), backend="eager"),
    "torch.compile by default": lambda: torch.compile(small()),
    "torch.compile, run before": compiled_and_run,
    "torch.compile of a layer": compiled_within,
    "DataParallel": lambda: nn.DataParallel(small()),
    "hooks": hooked,
    "parametrizations": parametrized,
    "channels last": lambda: small().to(memory_format=torch.channels_last),
    "frozen": lambda: small().requires_grad_(False),
    "ordered by name": lambda: nn.Sequential(OrderedDict(zip("zyxwv", small(), strict=True))),
}


@pytest.mark.parametrize("name", WRAPPED)
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_a_wrapped_model_has_the_same_answer(name: str) -> None:
    model = WRAPPED[name]()
    assert numbers(rf.analyze(model, input_size=SIZE)) == EXPECTED
    if "compile" in name and "default" not in name:  # the default compiler would take its time
        with torch.no_grad():
            assert model(torch.zeros(SIZE)).shape == (1, 2, 6, 6), "it still runs"


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("both_ways", [False, True])
def test_a_recurrent_layer_reads_what_came_before(kind: type[nn.RNNBase], both_ways: bool) -> None:
    model = kind(4, 5, num_layers=2, bidirectional=both_ways, batch_first=True)
    analysis = rf.analyze(model, input_size=(1, 7, 4), spatial=1)
    steps = analysis.outputs["0"]
    assert steps.unit_shape == (7,)
    for unit in range(7):
        assert steps.positions(unit) == (tuple(range(7 if both_ways else unit + 1)),)
    last = next(found for name, found in analysis.outputs.items() if name != "0")
    assert {p for u in last._all_units() for p in last.positions(u)[0]} == set(range(7))


def test_a_recurrent_cell_in_a_loop_reads_what_came_before() -> None:
    class Loop(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.LSTMCell(4, 5)

        def forward(self, x: Tensor) -> Tensor:
            state, outs = None, []
            for t in range(x.shape[1]):
                state = self.cell(x[:, t], state)
                outs.append(state[0])
            return torch.stack(outs, 1)

    found = rf.analyze(Loop(), input_size=(1, 5, 4), spatial=1).output
    assert [found.positions(u)[0] for u in range(5)] == [tuple(range(u + 1)) for u in range(5)]


def test_transformers_read_everything_of_what_they_attend_to() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    for model in (layer, nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)):
        found = rf.analyze(model, input_size=(1, 7, 8), spatial=1).output
        assert found.whole_input == (True,)
        assert found.positions(0) == (tuple(range(7)),)
    both = rf.analyze(nn.Transformer(8, 2, 1, 1, 16, batch_first=True), input_size=[(1, 7, 8), (1, 5, 8)], spatial=1)
    assert both.input_names == ("src", "tgt")
    assert both.output.of("src").positions(2) == (tuple(range(7)),)
    assert both.output.of("tgt").positions(2) == (tuple(range(5)),)


def test_attention_is_causal_where_it_says_so() -> None:
    q = torch.rand(1, 2, 6, 4)
    model = Apply(lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True))
    found = rf.analyze(model, q, spatial=2).output
    assert [found.positions(u)[0] for u in range(6)] == [tuple(range(u + 1)) for u in range(6)]


@dataclass
class Answer:
    fine: Tensor
    rest: list[Tensor]


@pytest.mark.filterwarnings("ignore")
def test_a_dataclass_is_several_outputs() -> None:
    analysis = rf.analyze(Apply(lambda x: Answer(x, [F.max_pool1d(x, 2)])), input_size=(1, 1, 8))
    assert {name: found.size for name, found in analysis.outputs.items()} == {"fine": (1,), "rest.0": (2,)}


def test_inputs_in_tuples_lists_and_dictionaries_have_names() -> None:
    class Nested(nn.Module):
        def forward(self, pair: tuple[Tensor, Tensor], more: dict[str, Tensor], scale: float = 1.0) -> Tensor:
            return pair[0] + pair[1] + more["bias"] * scale

    x = torch.rand(1, 1, 8)
    analysis = rf.analyze(Nested(), (x, x.clone()), {"bias": x.clone()}, kwargs={"scale": 2.0})
    assert analysis.input_names == ("pair.0", "pair.1", "more.bias")
    assert analysis.output.of("more.bias").size == (1,)


def test_a_model_that_asks_for_values_is_followed_on_real_ones_and_the_reader_told() -> None:
    model = nn.Sequential(nn.Conv1d(1, 1, 3), Apply(lambda x: x[..., :4] if float(x.abs().sum()) >= 0 else x))
    analysis = rf.analyze(model, input_size=(1, 1, 12))
    assert analysis.output.unit_shape == (4,)
    assert analysis.notes == (
        "the model computes with values in Python: this answer holds for the path that these values took",
    )
    assert rf.analyze(nn.Conv1d(1, 1, 3), input_size=(1, 1, 12)).notes == ()


def test_a_huge_input_costs_no_more_than_a_small_one() -> None:
    """A photograph of 4096 x 4096 is followed without computing a single feature map of it."""
    made: list[int] = []
    original = F.conv2d

    def counted(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        made.append(0 if x.device.type == "meta" else x.numel())
        return original(x, *args, **kwargs)

    class Watched(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            return counted(x, self.weight)

    analysis = rf.analyze(nn.Sequential(Watched(3, 4, 3, bias=False), nn.MaxPool2d(2)), input_size=(1, 3, 4096, 4096))
    assert analysis.output.slices((2046, 0)) == (slice(4092, 4096), slice(0, 4))
    assert made == [0]


def test_rflib_can_be_imported_before_and_after_torch() -> None:
    code = "import rflib as rf, torch; print(rf.analyze(torch.nn.Conv1d(1, 1, 3), input_size=(1, 1, 8)).output.size)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("(3,)\n", "")


# --- bad input: one clear sentence ----------------------------------------------------------------------------------

SIZE_SENTENCE = (
    "`input_size` must be a tuple of whole numbers >= 1, batch and channels first, like (1, 3, 224, 224), or a list of "
    "such tuples; got {}."
)
CHECK = " Check the input size and the number of channels that reach it."
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "too small for the kernel": (
        lambda: rf.analyze(small(), input_size=(1, 3, 8, 8)),
        "Layer '4' (Conv2d) cannot take an input of shape (1, 4, 2, 2): Calculated padded input size per channel: "
        "(2 x 2). Kernel size: (3 x 3). Kernel size can't be greater than actual input size." + CHECK,
    ),
    "too small for pooling": (
        lambda: rf.analyze(small(), input_size=(1, 3, 2, 2)),
        "Layer '3' (MaxPool2d) cannot take an input of shape (1, 4, 1, 1): Given input size: (4x1x1). Calculated "
        "output size: (4x0x0). Output size is too small." + CHECK,
    ),
    "number of channels": (
        lambda: rf.analyze(small(), input_size=(1, 4, 32, 32)),
        "Layer '0' (Conv2d) cannot take an input of shape (1, 4, 32, 32): Given groups=1, weight of size [4, 3, 3, 3], "
        "expected input[1, 4, 32, 32] to have 3 channels, but got 4 channels instead." + CHECK,
    ),
    "number of dimensions": (
        lambda: rf.analyze(small(), input_size=(3, 32)),
        "Layer '0' (Conv2d) cannot take an input of shape (3, 32): Expected 3D (unbatched) or 4D (batched) input to "
        "conv2d, but got input of size: [3, 32]." + CHECK,
    ),
    "other precision": (
        lambda: rf.analyze(small(), torch.zeros(SIZE, dtype=torch.long)),
        "Layer '0' (Conv2d) cannot take an input of shape (1, 3, 32, 32): Input type (long int) and bias type (float) "
        "should be the same." + CHECK,
    ),
    "the model's own error": (
        lambda: rf.analyze(Messy("fails"), input_size=(1, 3, 8, 8)),
        "Layer '(the model itself)' (Messy) cannot take an input of shape (1, 3, 8, 8): the model's own error." + CHECK,
    ),
    "lazy": (
        lambda: rf.analyze(nn.Sequential(nn.Flatten(), nn.LazyLinear(3)), input_size=SIZE),
        "Module '1' (LazyLinear) is lazy: its shapes are not known yet. Run the model once on real data, then analyze "
        "it.",
    ),
    "not a module": (
        lambda: rf.analyze("resnet", input_size=SIZE),  # type: ignore[arg-type]
        "`model` must be a torch.nn.Module; got str.",
    ),
    "a class": (
        lambda: rf.analyze(nn.ReLU, input_size=SIZE),  # type: ignore[arg-type]
        "`model` must be a torch.nn.Module; got type.",
    ),
    "no input": (
        lambda: rf.analyze(small()),
        "There is nothing to look at: give an input tensor or `input_size=(1, 3, 224, 224)`.",
    ),
    "no tensor": (
        lambda: rf.analyze(small(), 5),
        "There is nothing to look at: give an input tensor or `input_size=(1, 3, 224, 224)`.",
    ),
    "input and size": (
        lambda: rf.analyze(small(), torch.zeros(SIZE), input_size=SIZE),
        "Give either input tensors or `input_size`, not both.",
    ),
    "too many inputs": (
        lambda: rf.analyze(small(), input_size=[SIZE, SIZE]),
        "The model cannot be called with these inputs: too many positional arguments. Its forward takes (input).",
    ),
    "unknown keyword": (
        lambda: rf.analyze(small(), torch.zeros(SIZE), kwargs={"mask": None}),
        "The model cannot be called with these inputs: got an unexpected keyword argument 'mask'. Its forward takes "
        "(input).",
    ),
    "keywords no dictionary": (
        lambda: rf.analyze(small(), torch.zeros(SIZE), kwargs=[1]),  # type: ignore[arg-type]
        "`kwargs` must be a dictionary of keyword arguments; got [1].",
    ),
    "a dimension too many": (
        lambda: rf.analyze(small(), input_size=SIZE, spatial=(2, 4)),
        "`spatial` must name dimensions of input 'input', which has shape (1, 3, 32, 32); got (2, 4).",
    ),
    "a dimension twice": (
        lambda: rf.analyze(small(), input_size=SIZE, spatial=(2, -2)),
        "`spatial` names a dimension of input 'input' twice; got (2, -2).",
    ),
    "spatial as text": (
        lambda: rf.analyze(small(), input_size=SIZE, spatial="23"),
        "`spatial` must name dimensions of input 'input', which has shape (1, 3, 32, 32); got '23'.",
    ),
    "spatial of no input": (
        lambda: rf.analyze(small(), input_size=SIZE, spatial={"inputs": (2, 3)}),
        "There is no input 'inputs'. Nearest: 'input'.",
    ),
    **{
        f"size {size!r}": (lambda size=size: rf.analyze(small(), input_size=size), SIZE_SENTENCE.format(repr(size)))
        for size in (
            *("1,3,32,32", (1, "3", 32, 32), (1, 3, 0, 32), (1, 3, -1, 32), (1, 3, 32.0, 32), (1, 3, True, 32)),
            *((), 5, 2.5, {"x": SIZE}, (1, 3, None, 32)),
        )
    },
    "one of several sizes": (lambda: rf.analyze(small(), input_size=[SIZE, 5]), SIZE_SENTENCE.format(5)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_gets_one_clear_sentence(name: str) -> None:
    ask, message = REFUSED[name]
    with pytest.raises(ReceptiveFieldError) as caught:
        ask()
    assert str(caught.value) == message
    assert type(caught.value) in (ModelError, UnknownNameError)


def test_the_cause_is_passed_on() -> None:
    with pytest.raises(ModelError) as caught:
        rf.analyze(Messy("fails"), input_size=(1, 3, 8, 8))
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert str(caught.value.__cause__) == "the model's own error"


@pytest.mark.parametrize("size", [[1, 3, 32, 32], [[1, 3, 32, 32]], torch.Size(SIZE), np.array(SIZE), [SIZE]])
def test_a_size_may_be_any_sequence_of_whole_numbers(size: Any) -> None:
    assert numbers(rf.analyze(small(), input_size=size)) == EXPECTED


@pytest.mark.parametrize("spatial", [(2, 3), [2, 3], (-2, -1), {"input": (2, 3)}, {}, None, np.array([2, 3])])
def test_spatial_dimensions_may_be_counted_from_either_end(spatial: Any) -> None:
    assert numbers(rf.analyze(small(), input_size=SIZE, spatial=spatial)) == EXPECTED


def test_spatial_dimensions_are_in_the_order_given() -> None:
    found = rf.analyze(nn.Conv2d(1, 1, (3, 5)), input_size=(1, 1, 8, 9), spatial=2).output
    assert (found.size, found.unit_shape, found.input_shape) == ((3,), (6,), (8,))
    unbatched = rf.analyze(nn.Conv2d(1, 1, (3, 5)), input_size=(1, 8, 9), spatial=(1, 2)).output
    assert unbatched.size == (3, 5)


@pytest.fixture(scope="module")
def mystery() -> type[nn.Module]:
    @torch.library.custom_op("rflib_tests::mystery", mutates_args=())
    def operation(x: Tensor) -> Tensor:
        return x.clone()

    @operation.register_fake
    def _(x: Tensor) -> Tensor:
        return torch.empty_like(x)

    class Mystery(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return operation(x)

    return Mystery


def test_an_operation_without_a_rule_names_itself_its_place_and_the_way_out(mystery: type[nn.Module]) -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Sequential(nn.ReLU(), mystery()))
    with pytest.raises(TracingError) as caught:
        rf.analyze(model, input_size=(1, 1, 8, 8))
    assert str(caught.value) == (
        "Operation rflib_tests.mystery.default in module '1.1' has no reading rule in rflib. rf.measure finds the "
        "field of this model by poking; or replace the operation by known ones."
    )
    assert rf.measure(model, (1, 1, 8, 8)).size == (3, 3), "the way out works"


def test_an_operation_without_a_rule_on_constants_does_not_matter(mystery: type[nn.Module]) -> None:
    model = Apply(lambda x: F.max_pool1d(x, 2) * mystery()(torch.ones(1)))
    assert rf.analyze(model, input_size=(1, 1, 8)).output.size == (2,)


def test_no_message_has_more_than_one_line() -> None:
    for ask, _ in REFUSED.values():
        with pytest.raises(ReceptiveFieldError) as caught:
            ask()
        assert not re.search(r"\n|  ", str(caught.value))
