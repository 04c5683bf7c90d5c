"""One notebook cell for each explorer, and one for a question: what tests and the benchmark show."""

from __future__ import annotations

EXPLORERS = {
    "stack": "import rflib as rf\nrf.StackExplorer([rf.Layer(3, stride=2, padding=1), rf.Layer(3, padding=1)])",
    "overlay": (
        "import rflib as rf, torch\nfrom rflib import zoo\n"
        "rf.Overlay(zoo.resnet18(width=0.25).eval(), torch.rand(1, 3, 96, 96), layer='layer2')"
    ),
    "poke": "import rflib as rf\nrf.PokeExplorer()",
    "growth": "import rflib as rf\nrf.GrowthExplorer()",
    "game": "import rflib as rf\nrf.DesignGame(keep=False)",
    "dilation": "import rflib as rf\nrf.DilationExplorer((2, 2, 2))",
    "branches": "import rflib as rf\nrf.BranchExplorer()",
    "erf": "import rflib as rf\nrf.ErfExplorer()",
    "question": "import rflib as rf\nrf.ask('03-order')",
}
