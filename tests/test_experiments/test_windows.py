"""What windows say: without a network, and to a network that is left nothing else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rflib.errors import ModelError
from rflib.experiments import NOISE
from rflib.experiments.windows import WindowReading, _Pixels, read_windows, uncover_windows

READING = WindowReading("a reader", (3, 9, 15, 21), (0.1, 0.5, 0.78, 0.8))


def test_the_narrowest_windows_are_those_of_the_table() -> None:
    assert READING.enough() == 15
    assert READING.enough(within=0.01) == 21
    assert READING.least(0.5) == 9
    assert READING.least(0.81) is None
    assert "0.50 with 9" in READING.finding
    assert READING.table()[1][1] == [9, "0.50"]


def test_windows_are_cut_around_their_pixels() -> None:
    pixels = _Pixels.drawn(0, "test", 40, 56)
    assert len(pixels.scenes) == len(pixels.places) == len(pixels.labels) == 40
    assert {int(v) for v in pixels.labels} <= set(range(1, 11))
    for scene, (row, column), window in zip(
        pixels.scenes[:, 0], pixels.places.tolist(), pixels.windows(3), strict=True
    ):
        around = [
            float(scene[r, c]) if 0 <= r < 56 and 0 <= c < 56 else 0.0
            for r in range(row - 1, row + 2)
            for c in range(column - 1, column + 2)
        ]
        assert float(window) == pytest.approx(sum(around) / 9, abs=1e-5)


def test_what_is_inside_a_window_is_what_a_loop_finds() -> None:
    pixels = _Pixels.drawn(1, "test", 5, 28)
    inside = pixels.inside(7)
    for index, (row, column) in enumerate(pixels.places.tolist()):
        for r in range(28):
            for c in range(28):
                assert bool(inside[index, 0, r, c]) == (abs(r - row) <= 3 and abs(c - column) <= 3)


def test_a_wider_window_says_more() -> None:
    found = read_windows((3, 15, 27), train=2000, test=400).accuracies
    assert found[0] < 0.25 < found[1] < found[2]
    assert found[2] > 0.6


def test_shuffled_labels_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = _Pixels.drawn

    def shuffled(seed: int, split: str, count: int, size: int) -> _Pixels:
        found = drawn(seed, split, count, size)  # type: ignore[arg-type]
        order = torch.randperm(count, generator=torch.Generator().manual_seed(5))
        return _Pixels(found.scenes, found.places, found.labels[order])

    monkeypatch.setattr(_Pixels, "drawn", staticmethod(shuffled))
    assert read_windows((27,), train=2000, test=400).accuracies[0] < 0.25


class Peeks(nn.Module):
    """Names a digit right, from the labels it holds, if the scene still has its own pixels that far from the middle."""

    def __init__(self, pixels: _Pixels, distance: int) -> None:
        super().__init__()
        self.pixels, self.distance, self.at = pixels, distance, 0

    def forward(self, scenes: Tensor) -> Tensor:
        scores = torch.zeros(len(scenes), 11, *scenes.shape[2:])
        for index in range(len(scenes)):
            row, column = self.pixels.places[self.at].tolist()
            far = min(row + self.distance, scenes.shape[-1] - 1)
            if scenes[index, 0, far, column] == self.pixels.scenes[self.at, 0, far, column]:
                scores[index, self.pixels.labels[self.at], row, column] = 1
            self.at = (self.at + 1) % len(self.pixels.places)
        return scores


def test_only_what_the_window_holds_is_left_to_the_network() -> None:
    pixels = _Pixels.drawn(500_000, "test", 48, 56)
    found = uncover_windows(Peeks(pixels, 5), (9, 11, 13), pixels=48).accuracies
    # Windows of 9 end 4 pixels away; only pixels near the lower border find their peek inside.
    near = sum(int(row) + 4 >= 55 for row in pixels.places[:, 0])
    assert found == (pytest.approx(near / 48), 1.0, 1.0)


def test_the_surroundings_are_empty_noise() -> None:
    seen: list[Tensor] = []

    class Looks(nn.Module):
        def forward(self, scenes: Tensor) -> Tensor:
            seen.append(scenes)
            return torch.zeros(len(scenes), 11, *scenes.shape[2:])

    uncover_windows(Looks(), (1,), pixels=60)
    pixels = torch.cat(seen)
    assert float(pixels.mean()) == pytest.approx(0, abs=0.01)
    assert float(pixels.std()) == pytest.approx(NOISE, abs=0.01)


def test_the_callers_random_numbers_stay() -> None:
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    read_windows((3,), train=50, test=5)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("sizes", [(4,), (), (3, 3), "39", 9, (3, -1), (3, 2.5)])
def test_windows_without_a_middle_are_refused(sizes: object) -> None:
    with pytest.raises(ModelError, match="`sizes` must be different odd integers >= 1, for example"):
        read_windows(sizes)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="`sizes` must be"):
        uncover_windows(nn.Identity(), sizes)  # type: ignore[arg-type]


def test_numbers_too_small_are_refused() -> None:
    with pytest.raises(ModelError, match="`train` must be an integer >= 5; got 3"):
        read_windows((3,), train=3)
    with pytest.raises(ModelError, match="`pixels` must be an integer >= 1; got 0"):
        uncover_windows(nn.Identity(), (3,), pixels=0)
