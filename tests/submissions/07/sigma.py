"""Submissions for 07-sigma: the spread of positions around their mean."""

import math
import statistics

import numpy as np
import torch


def right_torch(weights):
    weights = torch.as_tensor(weights, dtype=torch.float64)
    shares, places = weights / weights.sum(), torch.arange(len(weights), dtype=torch.float64)
    return ((shares * (places - (shares * places).sum()) ** 2).sum()).sqrt()


def right_single_precision(weights):
    weights = torch.tensor(weights)
    weights = weights / weights.sum()
    places = torch.arange(len(weights))
    return ((places - (weights * places).sum()) ** 2 * weights).sum().sqrt().item()


def right_numpy(weights):
    places = np.arange(len(weights))
    mean = np.average(places, weights=weights)
    return np.sqrt(np.average((places - mean) ** 2, weights=weights))


def right_loop(weights):
    whole = mean = square = 0
    for place, weight in enumerate(weights):
        whole, mean, square = whole + weight, mean + weight * place, square + weight * place**2
    return math.sqrt(square / whole - (mean / whole) ** 2)


def right_covariance(weights):
    return float(np.cov(np.arange(len(weights)), aweights=weights, ddof=0)) ** 0.5


def right_pairs(weights):
    """Half the mean squared distance of two walkers."""
    whole = sum(weights) ** 2
    pairs = ((a * b, (i - j) ** 2) for i, a in enumerate(weights) for j, b in enumerate(weights))
    return math.sqrt(sum(w * d for w, d in pairs) / whole / 2)


def right_a_fraction_of_a_list(weights):
    return torch.tensor([right_numpy(weights)]).squeeze()


def mean(weights):
    return sum(place * weight for place, weight in enumerate(weights)) / sum(weights)


def around(weights, center):
    return math.sqrt(sum(w * (x - center) ** 2 for x, w in enumerate(weights)) / sum(weights))


def wrong_variance(weights):
    """This is the variance"""
    return around(weights, mean(weights)) ** 2


def wrong_middle_of_the_list(weights):
    """You measured from the middle of the list"""
    return around(weights, (len(weights) - 1) / 2)


def wrong_half_pixel(weights):
    """M24"""
    return around(weights, len(weights) / 2)


def wrong_highest(weights):
    """You measured from the highest position"""
    return around(weights, max(range(len(weights)), key=weights.__getitem__))


def wrong_first_position(weights):
    """You measured from the first position"""
    return around(weights, 0)


def wrong_no_division(weights):
    """You did not divide by the sum of the weights"""
    center = mean(weights)
    return math.sqrt(sum(w * (x - center) ** 2 for x, w in enumerate(weights)))


def wrong_mean_distance(weights):
    """This is the mean distance"""
    center = mean(weights)
    return sum(w * abs(x - center) for x, w in enumerate(weights)) / sum(weights)


def wrong_spread_of_values(weights):
    """the spread of the weights' values"""
    return statistics.pstdev(weights)


def wrong_number_of_positions(weights):
    """A14"""
    return sum(weight > 0 for weight in weights)


def wrong_positions_unweighted(weights):
    """You counted every position alike"""
    places = [x for x, w in enumerate(weights) if w > 0]
    return statistics.pstdev(places)


def wrong_divided_by_length(weights):
    """You divided by the number of positions"""
    center = mean(weights)
    return math.sqrt(sum(w * (x - center) ** 2 for x, w in enumerate(weights)) / len(weights))
