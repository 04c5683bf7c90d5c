"""A one-page report on a capstone network: the numbers filled in, the sentences of its author asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from rflib.arithmetic import shown
from rflib.effective.spread import EffectiveReceptiveField
from rflib.errors import ModelError, UnknownNameError
from rflib.experiments.capstone import NOISE, score
from rflib.experiments.capstone_networks import CapstoneNetwork, Stage
from rflib.experiments.capstone_results import BUDGET, INK_ACCURACY, MASK_IOU, Capstone, CapstoneRun, Score
from rflib.experiments.digits import draw_scenes
from rflib.experiments.results import picture
from rflib.experiments.stages import StageTable, tabulate_stages
from rflib.experiments.training import data_generator, on_its_own
from rflib.experiments.windows import WindowReading

__all__ = ["REPORT_QUESTIONS", "Report", "enter_network", "write_report"]

REPORT_QUESTIONS: Mapping[str, str] = MappingProxyType(
    {
        "field": "Why this field? What would be lost with half of it, and what with twice as much?",
        "design": "What is each kind of layer there for? Which one would you give up last?",
        "surprise": "Which of your predictions was wrong, and what did you learn from it?",
        "limits": "On which pictures would you not trust this network, and what would you try next?",
    }
)


@dataclass(frozen=True, repr=False)
class Report:
    """A report in Markdown.

    Attributes:
        name: Of the design.
        text: The page.
        missing: The keys of `REPORT_QUESTIONS` that have no answer yet; the page shows their questions.
    """

    name: str
    text: str
    missing: tuple[str, ...]

    def save(self, path: str | Path, overwrite: bool = False) -> Path:
        r"""Write the page to a file.

        Example:
            >>> import tempfile
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     path = Report("mine", "# Report: mine", ()).save(Path(folder, "report.md"))
            ...     path.read_text(encoding="utf-8")
            '# Report: mine\n'

        Args:
            path: Where to.
            overwrite: Whether a file that is there already may be replaced.

        Returns:
            The path.

        Raises:
            FileExistsError: The file is there, and `overwrite` is False.
        """
        path = Path(path)
        if path.exists() and not overwrite:
            raise FileExistsError(
                f"{path} exists and was left as it is. Choose another name, or replace it with "
                f'save("{path}", overwrite=True).'
            )
        path.write_text(self.text + "\n", encoding="utf-8")
        return path

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


def enter_network(results: Capstone, name: str, model: CapstoneNetwork, seed: int = 0) -> Capstone:
    """Put a trained network beside the candidates, scored as `train_capstone` scores them.

    Example:
        >>> from rflib.experiments import DESIGNS, fit_capstone, train_capstone
        >>> others = train_capstone(["pooling alone"], steps=2, progress=False)
        >>> model = fit_capstone(DESIGNS["mixed"], steps=2, progress=False)
        >>> [run.design for run in enter_network(others, "mine", model).runs]
        ['mine', 'pooling alone']

    Args:
        results: From `train_capstone`.
        name: Of the network; runs of that name are replaced.
        model: From `fit_capstone`, with the size, the steps and the batch of the results.
        seed: Of the network's training; the scenes that it is tested on are those of that seed.

    Returns:
        The results with the network's run first.

    Raises:
        ModelError: The name is not a text, or empty.
    """
    if not isinstance(name, str) or not name.strip():
        raise ModelError(f"`name` must be a text that is not empty; got {shown(name)}.")
    size = results.size
    with on_its_own(seed), torch.no_grad():
        image, _ = draw_scenes(data_generator(0), 1, "test", size, NOISE)
        reached = score(model, *draw_scenes(data_generator(seed + 500_000), 64, "test", size, NOISE))
        shows = picture(model(image).argmax(1)[0])
    stages = tabulate_stages(model.design)
    run = CapstoneRun(name, seed, stages.field, stages.multiply_adds, reached, shows)
    return replace(results, runs=(run, *(other for other in results.runs if other.design != name)))


def write_report(
    name: str,
    design: Iterable[Stage | Mapping[str, Any]],
    results: Capstone,
    *,
    needed: WindowReading,
    used: WindowReading,
    fields: Sequence[EffectiveReceptiveField],
    words: Mapping[str, str] | None = None,
) -> Report:
    """Put one's own results together on one page.

    Example:
        >>> import numpy as np
        >>> from rflib.experiments import CapstoneRun, Score, conv
        >>> reading = WindowReading("a reader", (9, 27), (0.2, 0.8))
        >>> field = EffectiveReceptiveField(np.ones((9, 9)))
        >>> results = Capstone(56, 200, (), (), (CapstoneRun("mine", 0, 3, 160, Score(0.1, 0.9), ()),))
        >>> words = {"field": "It sees strokes, and no digit."}
        >>> report = write_report(
        ...     "mine", [conv(8)], results, needed=reading, used=reading, fields=(field, field), words=words
        ... )
        >>> print(report.text.splitlines()[2])
        **mine misses ink accuracy.**
        >>> report.missing
        ('design', 'surprise', 'limits')

    Args:
        name: Of the design.
        design: Its stages, or plain data as `design_from` takes it.
        results: It and what it was held against, trained under the same conditions: from `train_capstone`, with
            `enter_network`.
        needed: What windows of each width say without a network, from `read_windows`.
        used: What the trained network names with a window around each pixel, from `uncover_windows`.
        fields: Two effective fields of one output unit: before training and after it.
        words: The author's answers by the keys of `REPORT_QUESTIONS`; what is missing or blank is asked on the page.

    Returns:
        A `Report`, which shows itself in a notebook and saves itself where asked.

    Raises:
        LayerError: A design that cannot exist.
        ModelError: Not two fields, or an answer that is no text.
        UnknownNameError: The results hold no run of that name; an answer to a question that is not asked.
    """
    runs = results.of(name)
    if not runs:
        raise UnknownNameError("run", name, {run.design: run for run in results.runs})
    if len(fields) != 2:
        raise ModelError(f"`fields` must be two effective fields, before and after training; got {len(fields)}.")
    stages, answers = tabulate_stages(design), _checked(words or {})
    parts = [
        f"# Report: {name}",
        *_verdict(name, runs[0].score, stages.multiply_adds),
        "## Why this field",
        _field(needed, stages),
        _said(answers, "field"),
        "## What it is made of",
        _table(*stages.table()),
        _said(answers, "design"),
        "## What it was held against",
        _table(*results.table()),
        f"Every network: {results.steps} training steps, scenes of {results.size} x {results.size} pixels.",
        _said(answers, "surprise"),
        "## What it uses of its field",
        _use(used, fields),
        "## Limits",
        _said(answers, "limits"),
    ]
    return Report(name, "\n\n".join(parts), tuple(key for key in REPORT_QUESTIONS if not answers[key]))


def _checked(words: Mapping[str, str]) -> dict[str, str]:
    """The answers, every question a key, without blanks at the ends."""
    if not isinstance(words, Mapping):
        raise ModelError(f"`words` must be a dict with the keys {', '.join(REPORT_QUESTIONS)}; got {shown(words)}.")
    for key, answer in words.items():
        if key not in REPORT_QUESTIONS:
            raise UnknownNameError("question of the report", key, REPORT_QUESTIONS)
        if not isinstance(answer, str):
            raise ModelError(f"The answer to {key!r} must be a text; got {shown(answer)}.")
    return {key: words.get(key, "").strip() for key in REPORT_QUESTIONS}


def _verdict(name: str, reached: Score, cost: float) -> list[str]:
    """One sentence, and the requirements one by one."""
    held = [
        (
            "ink accuracy",
            f"at least {INK_ACCURACY}",
            f"{reached.ink_accuracy:.2f}",
            reached.ink_accuracy >= INK_ACCURACY,
        ),
        ("mask IoU", f"at least {MASK_IOU}", f"{reached.mask_iou:.2f}", reached.mask_iou >= MASK_IOU),
        ("multiply-adds per pixel", f"at most {BUDGET:,}", f"{cost:,.0f}", cost <= BUDGET),
    ]
    missed = [what for what, _, _, met in held if not met]
    said = f"misses {' and '.join(missed)}" if missed else "meets all requirements"
    lines = [[what, asked, got, "met" if met else "MISSED"] for what, asked, got, met in held]
    return [f"**{name} {said}.**", _table(("requirement", "asked", "reached", ""), lines)]


def _field(needed: WindowReading, stages: StageTable) -> str:
    width = needed.least(INK_ACCURACY)
    found = (
        f"from a window of {width} pixels on" if width else f"with none of the windows up to {needed.sizes[-1]} pixels"
    )
    return (
        f"Before any network was trained, read by {needed.reader}: at least {INK_ACCURACY} of the ink is named right "
        f"{found}. The field of this network is {stages.field} pixels wide, its coarsest grid has a jump of "
        f"{stages.largest_jump}."
    )


def _use(used: WindowReading, fields: Sequence[EffectiveReceptiveField]) -> str:
    before, after = (max(field.sigma) for field in fields)
    return (
        f"The gradient of one output unit has a standard deviation of {before:.1f} pixels before training and of "
        f"{after:.1f} after it. Left with a window around each pixel, the trained network comes within 0.05 of its "
        f"best ({max(used.accuracies):.2f}) from a window of {used.enough()} pixels on."
    )


def _said(answers: Mapping[str, str], key: str) -> str:
    return answers[key] or f"> *Still to be written ({key}): {REPORT_QUESTIONS[key]}*"


def _table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown; a bar inside a cell would end it."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
