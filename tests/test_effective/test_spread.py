"""The measures against Gaussians of known width, against SciPy's fit, and against a count by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from rflib.effective.spread import EffectiveReceptiveField
from rflib.errors import ModelError, UnitError

SCALES = [10.0**power for power in range(-6, 7)]  # twelve powers of ten


def bell(shape: tuple[int, ...], center: tuple[float, ...], sigma: tuple[float, ...]) -> np.ndarray:
    axes = zip(np.indices(shape), center, sigma, strict=True)
    return np.exp(-0.5 * sum(((x - c) / s) ** 2 for x, c, s in axes))


def uneven(shape: tuple[int, ...] = (41, 33), seed: int = 0) -> np.ndarray:
    """A noisy, lopsided heap with two marks: nothing that a formula is made for."""
    random = np.random.default_rng(seed)
    middle = tuple(n / 2 for n in shape)
    heap = bell(shape, middle, tuple(n / 8 for n in shape)) * random.uniform(0.2, 1.8, shape)
    heap[(3,) * len(shape)] += 0.7
    return heap


def everything(erf: EffectiveReceptiveField) -> list[float]:
    fit = erf.gaussian()
    areas = [erf.area_ratio(f) for f in (0.2, 0.3, 0.5, 0.99)]
    return [*erf.center, *erf.sigma, *erf.kurtosis, erf.size(), *areas, *fit.center, *fit.sigma, fit.r_squared]


@pytest.mark.parametrize("shape", [(65,), (41, 33), (17, 15, 13)])
def test_no_measure_depends_on_the_scale(shape: tuple[int, ...]) -> None:
    raw = uneven(shape)
    expected = everything(EffectiveReceptiveField(raw))
    for scale in SCALES:
        erf = EffectiveReceptiveField(raw * scale)
        assert erf.map.sum() == pytest.approx(1, rel=1e-12)
        assert erf.total == pytest.approx(raw.sum() * scale, rel=1e-12)
        assert everything(erf) == pytest.approx(expected, rel=1e-9)


def test_the_logarithm_of_the_raw_gradient_does() -> None:
    # What the copied script does to one and the same bell: the half-mass square grows with the gradient's scale.
    raw = bell((201, 201), (100, 100), (20, 20))
    sides = []
    for scale in (1e-3, 1e0, 1e3, 1e6):
        erf = EffectiveReceptiveField(np.log10(raw * scale + 1))
        sides.append(math.sqrt(erf.area_ratio(0.5)) * 201)
    assert sides == sorted(sides)
    assert sides[-1] > 2 * sides[0]


def test_extreme_scales_neither_overflow_nor_vanish() -> None:
    for scale in (1e-300, 1e300):
        erf = EffectiveReceptiveField(scale * np.array([1.0, 2.0, 1.0]))
        assert erf.map.tolist() == [0.25, 0.5, 0.25]


# -------------------- moments


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30).filter(lambda w: sum(w) > 0.1))
def test_moments_are_those_of_the_weighted_positions(weights: list[float]) -> None:
    erf = EffectiveReceptiveField(np.array(weights))
    x, w = np.arange(len(weights)), np.array(weights) / sum(weights)
    center = np.average(x, weights=w)
    assert erf.center[0] == pytest.approx(center, rel=1e-9, abs=1e-12)
    assert erf.sigma[0] ** 2 == pytest.approx(np.average((x - center) ** 2, weights=w), rel=1e-9, abs=1e-12)


def test_profiles_and_moments_keep_the_axes_apart() -> None:
    erf = EffectiveReceptiveField(bell((61, 81, 41), (30, 42, 18), (3.0, 6.0, 2.0)))
    assert [len(erf.profile(axis)) for axis in range(3)] == [61, 81, 41]
    assert erf.center == pytest.approx((30, 42, 18), abs=1e-6)
    assert erf.sigma == pytest.approx((3, 6, 2), rel=1e-6)
    assert erf.kurtosis == pytest.approx((3, 3, 3), rel=1e-4)


def test_kurtosis_of_a_flat_map_and_of_a_point() -> None:
    n = 7
    flat = EffectiveReceptiveField(np.ones(n)).kurtosis[0]
    assert flat == pytest.approx(3 - 6 * (n**2 + 1) / (5 * (n**2 - 1)))  # the discrete uniform law
    assert math.isnan(EffectiveReceptiveField(np.eye(5)[2]).kurtosis[0])


# -------------------- size


@pytest.mark.parametrize("sigma", [8.0, 20.0])
def test_size_of_a_bell_is_what_the_docstring_says(sigma: float) -> None:
    reach = math.sqrt(2 * math.log(1 / 0.0455))
    n = int(8 * sigma) * 2 + 1
    line = EffectiveReceptiveField(bell((n,), (n // 2,), (sigma,))).size()
    assert line == pytest.approx(2 * reach * sigma, abs=1)
    disk = EffectiveReceptiveField(bell((n, n), (n // 2,) * 2, (sigma,) * 2)).size()
    assert disk == pytest.approx(math.sqrt(math.pi) * reach * sigma, rel=0.01)
    assert (round(reach, 2), round(2 * reach, 2), round(math.sqrt(math.pi) * reach, 2)) == (2.49, 4.97, 4.41)


def test_size_counts_what_rises_above_the_threshold() -> None:
    erf = EffectiveReceptiveField(np.array([[0, 1, 2], [4, 10, 4], [2, 1, 0]]))
    assert erf.size(0.3) == math.sqrt(3)
    assert erf.size(0.4) == 1  # 4 is not above 0.4 * 10
    assert erf.size(0) == math.sqrt(7)


# -------------------- area ratio


def script_of_the_paper(data: np.ndarray, fraction: float) -> float | None:
    """The rule as its authors publish it, without the logarithm: squares around the middle, from side 3 on."""
    h, w = data.shape
    for i in range(1, h // 2):
        square = data[h // 2 - i : h // 2 + 1 + i, w // 2 - i : w // 2 + 1 + i]
        if square.sum() / data.sum() > fraction:
            return (2 * i + 1) / h * (2 * i + 1) / w
    return None


@pytest.mark.parametrize("n", [40, 41])
def test_area_ratio_is_that_of_the_papers_script(n: int) -> None:
    raw = uneven((n, n))
    erf = EffectiveReceptiveField(raw)
    for fraction in (0.2, 0.3, 0.5, 0.9):
        expected = pytest.approx(script_of_the_paper(raw, fraction), rel=1e-12)
        assert erf.area_ratio(fraction, center=(n // 2, n // 2)) == expected


@given(st.lists(st.integers(2, 8), min_size=1, max_size=3), st.floats(0.01, 1), st.integers(0, 2**16))
def test_the_square_is_the_smallest_that_holds_enough(shape: list[int], fraction: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    erf = EffectiveReceptiveField(random.uniform(0, 1, shape))
    center = [int(random.integers(n)) for n in shape]
    found = erf.area_ratio(fraction, center=center)
    for reach in range(max(shape)):
        box = tuple(slice(max(c - reach, 0), c + reach + 1) for c in center)
        if erf.map[box].sum() >= fraction - 1e-9:
            assert found == pytest.approx(erf.map[box].size / erf.map.size)
            break
    else:
        pytest.fail("no square holds it")


def test_all_of_it_and_a_single_position() -> None:
    assert EffectiveReceptiveField(np.ones((30, 31))).area_ratio(1) == 1
    point = np.zeros((10, 10))
    point[5, 5] = 1
    assert EffectiveReceptiveField(point).area_ratio(0.99) == 0.01


@pytest.mark.parametrize("n", [8, 9, 40, 41, 224])
def test_a_map_around_the_inputs_middle_gets_the_papers_square_by_itself(n: int) -> None:
    raw = bell((n, n), ((n - 1) / 2,) * 2, (n / 9,) * 2)
    erf = EffectiveReceptiveField(raw)
    for fraction in (0.2, 0.5, 0.9):
        assert erf.area_ratio(fraction) == pytest.approx(script_of_the_paper(raw, fraction), rel=1e-12)


def test_a_map_at_the_side_has_its_square_around_its_mean() -> None:
    erf = EffectiveReceptiveField(bell((100,), (20,), (4,)))
    assert erf.area_ratio(0.5) == erf.area_ratio(0.5, center=20) == 0.07
    assert erf.area_ratio(0.5, center=50) > 0.5  # the paper's middle is far off


# -------------------- the fit


@given(
    st.lists(st.tuples(st.floats(0.5, 6), st.floats(0.3, 0.7)), min_size=1, max_size=3),
    st.floats(1e-6, 1e6),
)
def test_a_bell_is_found_again(axes: list[tuple[float, float]], height: float) -> None:
    shape = (25,) * len(axes)
    sigma, center = tuple(s for s, _ in axes), tuple(25 * c for _, c in axes)
    raw = height * bell(shape, center, sigma)
    fit = EffectiveReceptiveField(raw).gaussian()
    assert fit.center == pytest.approx(center, abs=1e-5)
    assert fit.sigma == pytest.approx(sigma, rel=1e-5)
    assert fit.r_squared == pytest.approx(1, abs=1e-8)
    assert fit.height == pytest.approx(height / raw.sum(), rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_the_fit_to_an_uneven_map_is_scipys(seed: int) -> None:
    erf = EffectiveReceptiveField(uneven((31, 27), seed))
    grid = np.indices(erf.map.shape).reshape(2, -1)

    def model(x: np.ndarray, a: float, c0: float, c1: float, s0: float, s1: float) -> np.ndarray:
        return a * np.exp(-0.5 * (((x[0] - c0) / s0) ** 2 + ((x[1] - c1) / s1) ** 2))

    fit = erf.gaussian()
    scale = erf.map.max()
    best, _ = curve_fit(model, grid, erf.map.ravel() / scale, p0=(1, *erf.center, *erf.sigma))
    assert fit.center == pytest.approx(best[1:3], abs=1e-4)
    assert fit.sigma == pytest.approx(np.abs(best[3:]), rel=1e-4)
    residual = ((erf.map.ravel() - scale * model(grid, *best)) ** 2).sum()
    expected = 1 - residual / ((erf.map - erf.map.mean()) ** 2).sum()
    assert fit.r_squared == pytest.approx(expected, abs=1e-8)
    assert 0.5 < fit.r_squared < 0.95


def test_no_bell_nearby_is_better() -> None:
    erf = EffectiveReceptiveField(uneven((40,)))
    fit = erf.gaussian()
    x = np.arange(40)
    tops = erf.map - fit.height * np.exp(-0.5 * ((x - fit.center[0]) / fit.sigma[0]) ** 2)
    for a, c, s in itertools.product((0.99, 1, 1.01), (-0.05, 0, 0.05), (0.99, 1, 1.01)):
        other = fit.height * a * np.exp(-0.5 * ((x - fit.center[0] - c) / (fit.sigma[0] * s)) ** 2)
        assert ((erf.map - other) ** 2).sum() >= (tops**2).sum() - 1e-15


def test_two_marks_are_no_bell_and_the_fit_says_so() -> None:
    marks = np.full(41, 0.01)
    marks[[8, 32]] = 1
    fit = EffectiveReceptiveField(marks).gaussian()
    assert fit.r_squared < 0.6
    assert math.isfinite(fit.sigma[0])


def test_maps_without_width() -> None:
    point = EffectiveReceptiveField(np.eye(9)[3]).gaussian()
    assert (point.center, point.sigma, point.r_squared) == ((3,), (0,), 1)
    row = np.zeros((7, 64))
    row[2] = bell((64,), (30,), (5,))
    fit = EffectiveReceptiveField(row).gaussian()  # wide on one axis only
    assert fit.sigma == pytest.approx((0, 5), rel=1e-6)
    assert fit.center == pytest.approx((2, 30))
    assert fit.r_squared == pytest.approx(1)
    assert math.isnan(EffectiveReceptiveField(np.ones(1)).gaussian().r_squared)
    assert EffectiveReceptiveField(np.ones(50)).gaussian().sigma[0] > 50  # flat: as wide as it may get


# -------------------- the object


def test_the_map_is_a_locked_copy() -> None:
    raw = np.array([1.0, 3.0])
    erf = EffectiveReceptiveField(raw)
    raw[0] = 100
    assert erf.map.tolist() == [0.25, 0.75]
    with pytest.raises(ValueError, match="read-only"):
        erf.map[0] = 1


def test_the_text_says_whose_it_is_how_wide_and_what_to_know() -> None:
    erf = EffectiveReceptiveField(
        np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]), unit=(1, 1), layer="layer2", inputs=8, notes=("Mind the step.",)
    )
    assert repr(erf).splitlines() == [
        "Effective receptive field of unit (1, 1) of layer 'layer2'; 8 inputs of 3 x 3",
        "  sigma 0.50 x 0.50, size 2.2, half of it in 11.1% of the input",
        "  note: Mind the step.",
    ]
    one = EffectiveReceptiveField(np.ones(3))
    assert repr(one).splitlines()[0] == "Effective receptive field of the output; 1 input of 3"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda e: e.size(1.0), "`threshold` must be at least 0 and below 1; got 1.0."),
        (lambda e: e.size(float("nan")), "`threshold` must be at least 0 and below 1; got nan."),
        (lambda e: e.area_ratio(0), "`fraction` must be above 0 and at most 1; got 0."),
        (lambda e: e.area_ratio(50), "`fraction` must be above 0 and at most 1; got 50."),
        (lambda e: e.profile(2), "`axis` must be one of [0, 1]; got 2."),
        (lambda e: e.profile(-1), "`axis` must be one of [0, 1]; got -1."),
        (
            lambda e: EffectiveReceptiveField(np.zeros((3, 3))),
            "The map is zero everywhere, so it has no shape. Nothing was measured.",
        ),
        (
            lambda e: EffectiveReceptiveField(np.array([1.0, np.nan])),
            "The map of an effective receptive field must be finite and non-negative.",
        ),
        (
            lambda e: EffectiveReceptiveField(np.array([1.0, -1.0])),
            "The map of an effective receptive field must be finite and non-negative.",
        ),
    ],
)
def test_bad_questions(call: object, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        call(EffectiveReceptiveField(np.ones((3, 3))))
    assert str(caught.value) == message


@pytest.mark.parametrize("center", [(3, 0), (0, -1), (1,), 1])
def test_a_center_outside(center: object) -> None:
    with pytest.raises(UnitError) as caught:
        EffectiveReceptiveField(np.ones((3, 3))).area_ratio(0.5, center=center)
    assert str(caught.value) == f"`center` must be a position of the input, whose shape is (3, 3); got {center!r}."
