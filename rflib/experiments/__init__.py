"""Small experiments that really train: seeded, on a CPU, each a function that returns a frozen result.

The same seed gives the same result on one machine; on another processor the last digits can differ. Torch's random
numbers, default type and settings are left as they were found.

| question | function |
|---|---|
| Is an answer out of reach ever found? | `run_copy_task` |
| Which positions does a dilated stack miss? | `read_comb` |
| Is reach enough? | `solve_sign_puzzle` |
| What if the biases stay at zero? | `hold_biases` |
| Does training move the effective field? | `watch_field` |
| What does a larger field bring when pixels are labeled? | `label_mosaics` |
| How far may two eyes disagree? | `match_stereo` |
| Does the output follow when the input moves? | `shift_inputs` |
| Which network meets all requirements? | `train_capstone` |
"""

from rflib.experiments.capstone import NOISE, fit_capstone, score, train_capstone
from rflib.experiments.capstone_networks import (
    DESIGNS,
    CapstoneNetwork,
    Design,
    Stage,
    conv,
    design_from,
    multiply_adds,
)
from rflib.experiments.capstone_results import BUDGET, INK_ACCURACY, MASK_IOU, Capstone, CapstoneRun, Score
from rflib.experiments.comb import Comb, CombRun, read_comb
from rflib.experiments.controls import BiasControl, BiasRun, hold_biases
from rflib.experiments.copying import CopyRun, CopyTask, run_copy_task
from rflib.experiments.digits import draw_mosaics, draw_scenes
from rflib.experiments.mosaics import MosaicLabeling, MosaicRun, label_mosaics
from rflib.experiments.moving import FieldInTraining, Snapshot, watch_field
from rflib.experiments.puzzle import VARIANTS, Variant, solve_sign_puzzle
from rflib.experiments.puzzle_results import PuzzleRun, SignPuzzle, Verdict
from rflib.experiments.results import Result
from rflib.experiments.shifting import SUBSAMPLINGS, ShiftRun, ShiftTest, shift_inputs
from rflib.experiments.signals import SignalNetwork, SignTask
from rflib.experiments.stereo import StereoMatching, StereoRun, draw_stereo_pairs, match_stereo

__all__ = [
    "BUDGET",
    "DESIGNS",
    "INK_ACCURACY",
    "MASK_IOU",
    "NOISE",
    "SUBSAMPLINGS",
    "VARIANTS",
    "BiasControl",
    "BiasRun",
    "Capstone",
    "CapstoneNetwork",
    "CapstoneRun",
    "Comb",
    "CombRun",
    "CopyRun",
    "CopyTask",
    "Design",
    "FieldInTraining",
    "MosaicLabeling",
    "MosaicRun",
    "PuzzleRun",
    "Result",
    "Score",
    "ShiftRun",
    "ShiftTest",
    "SignPuzzle",
    "SignTask",
    "SignalNetwork",
    "Snapshot",
    "Stage",
    "StereoMatching",
    "StereoRun",
    "Variant",
    "Verdict",
    "conv",
    "design_from",
    "draw_mosaics",
    "draw_scenes",
    "draw_stereo_pairs",
    "fit_capstone",
    "hold_biases",
    "label_mosaics",
    "match_stereo",
    "multiply_adds",
    "read_comb",
    "run_copy_task",
    "score",
    "shift_inputs",
    "solve_sign_puzzle",
    "train_capstone",
    "watch_field",
]
