"""Submissions for 07-exponent: the slope of the line of least squares through the logarithms."""

import math
import statistics

import numpy as np
import torch


def right_centered(depths, widths):
    x, y = torch.tensor(depths, dtype=torch.float64).log(), torch.tensor(widths, dtype=torch.float64).log()
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / (x * x).sum())


def right_polyfit(depths, widths):
    return np.polyfit(np.log(depths), np.log(widths), 1)[0]


def right_base_2(depths, widths):
    return np.polyfit(np.log2(depths), np.log2(widths), 1)[0].tolist()


def right_statistics(depths, widths):
    return statistics.linear_regression([math.log10(x) for x in depths], [math.log10(y) for y in widths]).slope


def right_least_squares(depths, widths):
    x = np.log(np.array(depths, dtype=float))
    table = np.stack([x, np.ones_like(x)], axis=1)
    return np.linalg.lstsq(table, np.log(widths), rcond=None)[0][0]


def right_single_precision(depths, widths):
    x, y = torch.tensor(depths).log(), torch.tensor(widths).log()
    return ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()


def right_covariance(depths, widths):
    found = np.cov(np.log(depths), np.log(widths))
    return found[0, 1] / found[0, 0]


def slope(x, y):
    return np.polyfit(x, y, 1)[0]


def wrong_no_logarithm(depths, widths):
    """You fitted the numbers themselves"""
    return slope(depths, widths)


def wrong_logarithm_of_widths(depths, widths):
    """You took the logarithm of the widths alone"""
    return slope(depths, np.log(widths))


def wrong_logarithm_of_depths(depths, widths):
    """You took the logarithm of the depths alone"""
    return slope(np.log(depths), widths)


def wrong_ends(depths, widths):
    """first and the last point"""
    return math.log(widths[-1] / widths[0]) / math.log(depths[-1] / depths[0])


def wrong_first_two(depths, widths):
    """first two points"""
    return math.log(widths[1] / widths[0]) / math.log(depths[1] / depths[0])


def wrong_exchanged(depths, widths):
    """You exchanged the axes"""
    return slope(np.log(widths), np.log(depths))


def wrong_through_the_origin(depths, widths):
    """You forced the line through the origin"""
    x, y = np.log(depths), np.log(widths)
    return (x * y).sum() / (x * x).sum()


def wrong_share(depths, widths):
    """A11"""
    return slope(np.log(depths), np.log(widths)) - 1


def wrong_intercept(depths, widths):
    """This is the intercept"""
    return np.polyfit(np.log(depths), np.log(widths), 1)[1]


def wrong_two_bases(depths, widths):
    """You took logarithms of two bases"""
    return slope(np.log2(depths), np.log(widths))


def wrong_correlation(depths, widths):
    """This is the correlation"""
    return np.corrcoef(np.log(depths), np.log(widths))[0, 1]


def wrong_mean_of_slopes(depths, widths):
    """You took the mean of the slopes from point to point"""
    return np.mean(np.diff(np.log(widths)) / np.diff(np.log(depths)))
