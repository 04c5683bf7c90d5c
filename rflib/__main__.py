"""The command line: `python -m rflib package.module:factory --input 1,3,224,224`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from rflib.errors import ModelError, ReceptiveFieldError, UnknownNameError

if TYPE_CHECKING:
    from torch import nn

    from rflib.analysis import Analysis


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the whole usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"rflib: {message}. See python -m rflib --help.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m rflib",
        description="Print the receptive field of every layer of a PyTorch model.",
        epilog="Example: python -m rflib rflib.zoo:resnet50 --input 1,3,224,224 --layer layer4",
    )
    parser.add_argument(
        "model", help="package.module:name of a factory without arguments, a module class, or a module instance"
    )
    parser.add_argument(
        "--input",
        action="append",
        required=True,
        metavar="SHAPE",
        help="shape of an input with batch and channels, as 1,3,224,224; once for each input",
    )
    parser.add_argument("--layer", metavar="PATH", help="show only this layer, as named_modules() calls it")
    parser.add_argument("--spatial", metavar="DIMS", help="dimensions that are space, as 1 or 2,3 (default: 2 and up)")
    parser.add_argument("--local", action="store_true", help="leave whole-input gates and statistics out")
    parser.add_argument("--verify", action="store_true", help="compare with the truth by poking (takes seconds)")
    parser.add_argument("--json", action="store_true", help="print plain data instead of a table")
    return parser


def _numbers(text: str, option: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.replace("x", ",").split(","))
    except ValueError:
        raise ModelError(f"`{option}` must be whole numbers with commas, like 1,3,224,224; got {text!r}.") from None


def _load(name: str) -> nn.Module:
    """The module that `package.module:name` means."""
    from torch import nn

    home, colon, attribute = name.partition(":")
    if not colon or not home or not attribute:
        raise ModelError(f"`model` must be package.module:name, like rflib.zoo:resnet50; got {name!r}.")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        value: Any = importlib.import_module(home)
    except ModuleNotFoundError as error:
        raise ModelError(f"Cannot import {home!r}: {error}. Run from the folder that holds it.") from error
    except Exception as error:  # whatever the file does when it is run
        raise ModelError(f"Cannot import {home!r}: {type(error).__name__}: {error}.") from error
    for part in attribute.split("."):
        if not hasattr(value, part):
            known = [n for n in dir(value) if not n.startswith("_")]
            raise UnknownNameError("name", part, known, f"It was looked for in {home!r}.")
        value = getattr(value, part)
    try:
        made = value() if callable(value) and not isinstance(value, nn.Module) else value
    except Exception as error:  # whatever the factory does
        raise ModelError(
            f"{name!r} makes no model when called without arguments: {type(error).__name__}: {error}."
        ) from error
    if not isinstance(made, nn.Module):
        raise ModelError(f"{name!r} gives {type(made).__name__}, not a torch.nn.Module.")
    return made


def _report(analysis: Analysis, layer: str | None, as_json: bool) -> str:
    from rflib import reporting, tables

    if layer is None:
        if as_json:
            return json.dumps(reporting.as_dict(analysis), indent=1)
        return reporting.as_text(analysis, progress=True)
    analysis._calls(layer)  # names the nearest layers if there is none
    rows = [r for r in reporting.rows(analysis) if r["layer"] == layer]
    if as_json:
        return json.dumps([reporting.plain(r) for r in rows], indent=1)
    return tables.text_table(reporting.HEADINGS, [cells for r in rows for cells in reporting.row_cells(r)])


def _verified(model: nn.Module, sizes: list[tuple[int, ...]], spatial: Any, to: TextIO) -> bool:
    """Compares the analysis with poking, one input after the other."""
    from rflib.measuring.verifying import verify

    agree = True
    for which in range(len(sizes)):
        verification = verify(model, sizes, which=which, spatial=spatial)
        print(f"Input {which}: {verification}" if len(sizes) > 1 else verification, file=to)
        agree = agree and bool(verification)
    return agree


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 is success, 1 a verification that disagrees, 2 a question that cannot be answered."""
    options = _parser().parse_args(arguments)
    try:
        from rflib.analysis import analyze

        model = _load(options.model).eval()
        sizes = [_numbers(text, "--input") for text in options.input]
        spatial = None if options.spatial is None else _numbers(options.spatial, "--spatial")
        analysis = analyze(model, input_size=sizes, spatial=spatial)
        print(_report(analysis.local if options.local else analysis, options.layer, options.json), flush=True)
        if options.verify:
            return 0 if _verified(model, sizes, spatial, sys.stderr if options.json else sys.stdout) else 1
    except BrokenPipeError:  # the reader (`| head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ReceptiveFieldError as error:
        print("rflib: " + " ".join(str(error).split()), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
