"""`verify` must agree where both sides are right, and must notice where one of them is not."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rflib.errors import ModelError, NoSingleAnswerError, UnknownNameError
from rflib.measuring import verifying
from rflib.measuring.verifying import Verification, verify


class Residual(nn.Module):
    """Two paths of different stride, a ceil-mode pooling, a bilinear branch, two outputs, a module called twice."""

    def __init__(self):
        super().__init__()
        self.down, self.skip = nn.Conv2d(2, 4, 3, 2, 1), nn.Conv2d(2, 4, 1, 2)
        self.norm, self.act, self.pool = nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, ceil_mode=True)
        self.twice = nn.Conv2d(4, 4, 3, padding=1)
        self.unused = nn.Conv2d(1, 1, 1)

    def forward(self, x):
        y = self.act(self.norm(self.down(x))) + self.skip(x)
        low = F.interpolate(self.pool(y), size=y.shape[2:], mode="bilinear", align_corners=False)
        return {"map": self.twice(self.twice(y + low)), "score": x.mean((2, 3))}


def test_agreement_counts_what_was_compared():
    result = verify(Residual(), (1, 2, 11, 8), units="all", masks=3, progress=False)
    assert result
    assert result.agrees
    assert result.disagreements == result.skipped == ()
    units = 6 * 4  # of down, norm, act, skip, twice (two calls) and the map; the pooled map has 3 x 2, the score one
    assert (result.layers, result.units) == (9, 7 * units + 3 * 2 + 1)
    assert result.masks > 10
    text = f"Analysis and poking agree: {result.units} units of 9 layers by rows and columns (every unit)"
    assert repr(result).startswith(text)
    assert "upsample_bilinear2d poked on the spot" in result.method


def test_the_sample_meets_every_index_of_every_axis(monkeypatch):
    asked = []
    positions = verifying.Found.positions
    monkeypatch.setattr(verifying.Found, "positions", lambda self, unit: asked.append(unit) or positions(self, unit))
    result = verify(nn.Conv2d(1, 1, 1), (1, 1, 20, 30), masks=0, progress=False)
    assert {u[0] for u in asked} == set(range(20))
    assert {u[1] for u in asked} == set(range(30))
    assert {(0, 0), (0, 29), (19, 0), (19, 29)} <= set(asked)
    assert result.units == len(asked) < 60
    assert "16 at random" in result.sample


LIES = {
    "dilation": (nn.Conv1d(1, 1, 3, padding=2, dilation=2), nn.Conv1d(1, 1, 5, padding=2)),
    "stride ignored": (nn.Conv1d(1, 1, 2, 2), nn.Conv1d(1, 1, 2, 1, dilation=5)),
    "one tap too few": (nn.Conv1d(1, 1, 3, padding=1), nn.Sequential(nn.ZeroPad1d((1, 0)), nn.Conv1d(1, 1, 2))),
    "shifted": (nn.Conv1d(1, 1, 3, padding=1), nn.Sequential(nn.ZeroPad1d((2, 0)), nn.Conv1d(1, 1, 3))),
    "nothing": (nn.Conv1d(1, 1, 3, padding=1), nn.Conv1d(1, 1, 1, stride=1)),
}


@pytest.mark.parametrize("name", LIES)
def test_a_wrong_analysis_is_noticed(monkeypatch, name):
    model, other = LIES[name]
    honest = verifying.analyze
    monkeypatch.setattr(verifying, "analyze", lambda _, **options: honest(other, **options))
    result = verify(model, (1, 1, 6), progress=False)
    assert not result
    assert result.disagreements
    assert "DISAGREE" in repr(result)
    assert ("feature map (1,) by the analysis, (3,) when it runs" in repr(result)) == (name == "stride ignored")


def test_a_wrong_mask_behind_right_projections_is_noticed(monkeypatch):
    mask = verifying.Found.mask
    monkeypatch.setattr(verifying.Found, "mask", lambda self, unit: mask(self, unit) & (torch.eye(5).numpy() == 0))
    result = verify(nn.Conv2d(1, 1, 3, padding=1), (1, 1, 5, 5), progress=False)
    assert not result
    assert {d.axis for d in result.disagreements} == {None}
    assert "unit (2, 2), mask: read by the analysis only nothing, by poking only (1, 1), (2, 2), (3, 3)" in repr(result)


def test_a_disagreement_says_where_and_what(monkeypatch):
    positions = verifying.Found.positions
    monkeypatch.setattr(verifying.Found, "positions", lambda self, unit: ((0, *positions(self, unit)[0][1:]),))
    result = verify(nn.Sequential(nn.Conv1d(1, 1, 3)), (1, 1, 5), units="all", progress=False)
    wrong = next(d for d in result.disagreements if d.layer == "0" and d.unit == (2,))
    assert (wrong.axis, wrong.analysis, wrong.poking) == (0, (0, 3, 4), (2, 3, 4))
    assert str(wrong) == "layer '0', unit (2,), axis 0: read by the analysis only 0, by poking only 2"


class Unpool(nn.Module):
    def forward(self, x):
        return F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2)


def test_places_computed_from_the_data_are_checked_one_way(monkeypatch):
    result = verify(Unpool(), (1, 1, 6, 6), progress=False)
    assert result
    assert result.one_way
    assert "checked is only that poking reads nothing more" in repr(result)
    assert not verify(nn.MaxPool2d(2), (1, 1, 6, 6), progress=False).one_way
    monkeypatch.setattr(verifying.Found, "positions", lambda self, unit: ((0,), (0,)))
    assert not verify(Unpool(), (1, 1, 6, 6), progress=False)


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv1d(1, 1, 3, padding=1), nn.Conv1d(2, 1, 5, padding=2)

    def forward(self, image, tokens):
        return self.first(image) + self.second(tokens.mT)


def test_several_inputs_with_space_in_different_places():
    tensors = (torch.zeros(1, 1, 8), torch.zeros(1, 8, 2))
    spatial = {"tokens": (1,)}
    for which in ("image", 1):
        result = verify(TwoInputs(), inputs=tensors, which=which, spatial=spatial, units="all", progress=False)
        assert result, result
        assert result.layers == 3  # also that the other input's convolution reads nothing of this one
    with pytest.raises(NoSingleAnswerError, match="several inputs: image, tokens"):
        verify(TwoInputs(), inputs=tensors, spatial=spatial)
    with pytest.raises(UnknownNameError, match="no input 'imag'"):
        verify(TwoInputs(), inputs=tensors, which="imag", spatial=spatial)


def test_a_layer_that_reads_nothing():
    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Linear(1, 4)

        def forward(self, x):
            return x + self.table(torch.ones(1, 1, 1))

    result = verify(Constant(), (1, 1, 4), progress=False)
    assert result, result
    assert result.layers == 2


def test_tokens_and_causal_attention():
    model = nn.TransformerEncoderLayer(4, 1, 8, batch_first=True)
    assert verify(model, (1, 5, 4), spatial=(1,), units="all", progress=False)


def test_nothing_compared_is_no_agreement():
    assert not Verification((), 0, 0, 0, (), "every unit", "NaN")
    assert "were not compared" in repr(Verification((), 0, 0, 0, (), "every unit", "NaN"))


def test_arguments_are_checked():
    with pytest.raises(ModelError, match=r'`units` must be "sample" or "all"; got \'some\''):
        verify(nn.ReLU(), (1, 1, 4), units="some")


def test_the_model_is_left_as_found():
    model = nn.Sequential(nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2), nn.Dropout()).train()
    model[1].eval()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    state = torch.get_rng_state()
    verify(model, (2, 1, 9), progress=False)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert [m.training for m in model] == [True, False, True]
    assert torch.equal(torch.get_rng_state(), state)
