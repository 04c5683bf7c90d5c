"""Submissions for 07-width: from the first to the last position above a share of the peak."""

import numpy as np
import torch


def right_list(weights, share):
    bound = share * max(weights)
    high = [place for place, weight in enumerate(weights) if weight >= bound]
    return high[-1] - high[0] + 1


def right_numpy(weights, share):
    weights = np.asarray(weights)
    (high,) = np.nonzero(weights >= share * weights.max())
    return high.max() - high.min() + 1


def right_single_precision(weights, share):
    weights = torch.tensor(weights) * 1.0
    high = (weights / weights.max() >= share).nonzero().flatten()
    return high[-1] - high[0] + 1


def right_from_both_ends(weights, share):
    bound, first, last = share * max(weights), 0, len(weights) - 1
    while weights[first] < bound:
        first += 1
    while weights[last] < bound:
        last -= 1
    return last - first + 1


def right_strip(weights, share):
    marks = "".join("x" if weight >= share * max(weights) else " " for weight in weights)
    return len(marks.strip())


def right_shares_first(weights, share):
    shares = [weight / sum(weights) for weight in weights]
    high = [place for place, each in enumerate(shares) if each >= share * max(shares)]
    return float(max(high) - min(high) + 1)


def right_that_empties_its_list(weights, share):
    bound = share * max(weights)
    while weights[0] < bound:
        weights.pop(0)
    while weights[-1] < bound:
        weights.pop()
    return len(weights)


def above(weights, bound):
    high = [place for place, weight in enumerate(weights) if weight >= bound]
    return high[-1] - high[0] + 1 if high else 0


def wrong_one_end(weights, share):
    """M15"""
    return above(weights, share * max(weights)) - 1


def wrong_share_of_the_sum(weights, share):
    """A14"""
    return above(weights, share * sum(weights))


def wrong_share_of_the_mean(weights, share):
    """You took the share of the mean"""
    return above(weights, share * sum(weights) / len(weights))


def wrong_counted(weights, share):
    """You counted the positions above"""
    return sum(weight >= share * max(weights) for weight in weights)


def wrong_not_zero(weights, share):
    """M18"""
    return above(weights, 1e-12)


def wrong_share_as_a_weight(weights, share):
    """You used the share as if it were a weight"""
    return above(weights, share)


def wrong_around_the_peak(weights, share):
    """You went out from the highest position"""
    first = last = weights.index(max(weights))
    while first and weights[first - 1] >= share * max(weights):
        first -= 1
    while last < len(weights) - 1 and weights[last + 1] >= share * max(weights):
        last += 1
    return last - first + 1


def wrong_strictly_above(weights, share):
    """You left out what reaches the bound exactly"""
    high = [place for place, weight in enumerate(weights) if weight > share * max(weights)]
    return high[-1] - high[0] + 1


def wrong_half_of_the_peak(weights, share):
    """You took half of the highest weight, whatever the share"""
    return above(weights, 0.5 * max(weights))


def wrong_luo_whatever_the_share(weights, share):
    """You took the share of Luo and others, whatever the share"""
    return above(weights, 0.0455 * max(weights))
