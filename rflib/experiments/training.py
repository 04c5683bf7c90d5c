"""What the small trainings share: seeds of their own, a progress bar, one training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from tqdm.auto import tqdm

from rflib.arithmetic import shown, whole_number
from rflib.errors import ModelError

__all__ = ["at_least", "bar_over", "data_generator", "he_initialize", "on_its_own", "seeds_from", "train"]

Watcher = Callable[[int, Tensor, Tensor], bool | None]


@contextmanager
def on_its_own(seed: int) -> Iterator[None]:
    """Torch as every run finds it, whatever the caller has set; afterward as the caller left it."""
    dtype = torch.get_default_dtype()
    # Entering a device slows every operation down, by about a tenth of a training.
    elsewhere = torch.get_default_device().type != "cpu"
    with (
        torch.random.fork_rng(devices=[]),
        torch.device("cpu") if elsewhere else nullcontext(),
        torch.inference_mode(False),
        torch.enable_grad(),
    ):
        # torch.manual_seed would reach the generators of other devices too, which nobody puts back.
        torch.default_generator.manual_seed(seed)
        torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)


def data_generator(seed: int) -> torch.Generator:
    """Draws the data of a run; apart from the numbers that initialize the network."""
    return torch.Generator().manual_seed(1_000_003 + seed)


def bar_over(total: int, label: str, progress: bool) -> Any:
    """A bar that appears where the work takes longer than a second, and goes when it is done."""
    return tqdm(total=total, desc=label, delay=1, leave=False, disable=not progress)


def he_initialize(model: nn.Module, weight_scale: float = 1.0) -> None:
    """He initialization of every convolution, biases zero; then all weights times `weight_scale`.

    Reference:
        K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", ICCV 2015, arXiv:1502.01852.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            with torch.no_grad():
                module.weight.mul_(weight_scale)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def train(
    model: nn.Module,
    draw: Callable[[], tuple[Tensor, Tensor]],
    loss: Callable[[Tensor, Tensor], Tensor],
    optimizer: Optimizer,
    steps: int,
    bar: Any,
    *,
    watch: Watcher | None = None,
    scheduler: LRScheduler | None = None,
) -> int:
    """Train on fresh batches; `watch(step, outputs, targets)` may end it by returning True. Returns the steps taken."""
    model.train()
    for step in range(1, steps + 1):
        inputs, targets = draw()
        outputs = model(inputs)
        optimizer.zero_grad(set_to_none=True)
        loss(outputs, targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        bar.update()
        if watch is not None and watch(step, outputs.detach(), targets):
            bar.update(steps - step)
            return step
    return steps


def at_least(name: str, value: object, least: int) -> int:
    """A whole number no smaller than `least`, or a ModelError that names the argument."""
    number = whole_number(value)
    if number is None or number < least:
        raise ModelError(f"`{name}` must be an integer >= {least}; got {shown(value)}.")
    return number


def seeds_from(seeds: Iterable[int]) -> tuple[int, ...]:
    """The seeds as a tuple of whole numbers, at least one."""
    if isinstance(seeds, int | str) or not isinstance(seeds, Iterable):
        raise ModelError(f"`seeds` must be several integers, for example (0, 1, 2); got {shown(seeds)}.")
    listed = tuple(at_least("seeds", seed, 0) for seed in seeds)
    if not listed:
        raise ModelError("`seeds` is empty; give at least one integer, for example (0,).")
    return listed
