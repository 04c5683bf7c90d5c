"""Submissions for 06-far: at least a field, at a resolution, from few multiply-adds."""

from functools import cache
from itertools import product

import numpy as np


def choices_of(wanted):
    convs = [{"kernel_size": k, "stride": s, "kind": "conv"} for k in wanted["kernels"] for s in wanted["strides"]]
    return convs + [{"kernel_size": p, "stride": p, "kind": "pool"} for p in wanted["pools"]]


def seen(stack):
    """Size and jump."""
    size = jump = 1
    for one in stack:
        size, jump = size + (one["kernel_size"] - 1) * jump, jump * one["stride"]
    return size, jump


def cost(stack, length):
    price = 0
    for one in stack:
        if one["kind"] == "pool":
            length //= one["stride"]
        else:
            length = -(-length // one["stride"])
            price += one["kernel_size"] ** 2 * length**2
    return price


def search(wanted, seen=seen, cost=cost):
    best, lowest = None, float("inf")
    for depth in range(1, wanted["most_layers"] + 1):
        for stack in product(choices_of(wanted), repeat=depth):
            size, jump = seen(stack)
            price = cost(stack, wanted["input_size"])
            if size >= wanted["field"] and jump <= wanted["largest_stride"] and price < lowest:
                best, lowest = stack, price
    return [dict(one) for one in best or ()]


def right_search(wanted):
    return search(wanted)


def right_without_defaults(wanted):
    kept = {"stride": 1, "kind": "conv"}
    return [{name: value for name, value in one.items() if kept.get(name) != value} for one in search(wanted)]


def right_one_sorted_list(wanted):
    stacks = [s for depth in range(1, wanted["most_layers"] + 1) for s in product(choices_of(wanted), repeat=depth)]
    good = [s for s in stacks if seen(s)[0] >= wanted["field"] and seen(s)[1] <= wanted["largest_stride"]]
    return min(good, key=lambda stack: cost(stack, wanted["input_size"]))


def right_recursion(wanted):
    choices = choices_of(wanted)

    @cache
    def best(size, jump, length, left):
        """The lowest price from here, and the rest of the stack."""
        found = (0, ()) if size >= wanted["field"] else (float("inf"), ())
        for place, one in enumerate(choices if left else ()):
            if jump * one["stride"] > wanted["largest_stride"]:
                continue
            pool = one["kind"] == "pool"
            after = length // one["stride"] if pool else -(-length // one["stride"])
            price, rest = best(size + (one["kernel_size"] - 1) * jump, jump * one["stride"], after, left - 1)
            found = min(found, (price + (0 if pool else one["kernel_size"] ** 2 * after**2), (place, *rest)))
        return found

    return [choices[place] for place in best(1, 1, wanted["input_size"], wanted["most_layers"])[1]]


def right_numpy(wanted):
    return np.array([{**one, "kernel_size": np.int32(one["kernel_size"])} for one in search(wanted)])


def right_whole_floats(wanted):
    return [{**one, "stride": float(one["stride"]), "dilation": 1.0} for one in search(wanted)]


def wrong_pools_double(wanted):
    """A8"""

    def doubled(stack):
        size = 1
        for one in stack:
            size = size * one["stride"] if one["kind"] == "pool" else size + one["kernel_size"] - 1
        return size, seen(stack)[1]

    return search(wanted, doubled)


def wrong_own_stride(wanted):
    """multiply-adds"""
    return search(
        wanted, lambda stack: (1 + sum((one["kernel_size"] - 1) * one["stride"] for one in stack), seen(stack)[1])
    )


def wrong_jump_too_early(wanted):
    """M7"""

    def early(stack):
        size = jump = 1
        for one in stack:
            jump *= one["stride"]
            size += (one["kernel_size"] - 1) * jump
        return size, jump

    return search(wanted, early)


def wrong_other_end(wanted):
    """too many"""
    return search(wanted, lambda stack: seen(stack[::-1]))


def wrong_kernels_added(wanted):
    """A7"""
    found = search(wanted, lambda stack: (1 + sum(one["kernel_size"] for one in stack), seen(stack)[1]))
    return found or [{"kernel_size": 5}] * wanted["most_layers"]


def wrong_resolution(wanted):
    """product of all strides is"""
    return search(wanted, lambda stack: (seen(stack)[0], 1))


def wrong_strides_left_out_of_the_cost(wanted):
    """too many"""
    return search(wanted, cost=lambda stack, length: sum(y["kernel_size"] ** 2 for y in stack if y["kind"] == "conv"))


def wrong_cost_before_the_stride(wanted):
    """too many"""

    def before(stack, length):
        price = 0
        for one in stack:
            price += one["kernel_size"] ** 2 * length**2 if one["kind"] == "conv" else 0
            length = -(-length // one["stride"])
        return price

    return search(wanted, cost=before)


def wrong_fewest_layers(wanted):
    """too many"""
    return search(wanted, cost=lambda stack, length: len(stack))


def wrong_parameters(wanted):
    """too many"""
    return search(wanted, cost=lambda stack, length: sum(y["kernel_size"] ** 2 for y in stack if y["kind"] == "conv"))


def wrong_without_strides(wanted):
    """too many"""
    return search({**wanted, "strides": [1], "pools": []})


def wrong_fives_alone(wanted):
    """too many"""
    return [{"kernel_size": 5}] * wanted["most_layers"]


def wrong_exactly_the_field(wanted):
    """it is no list of 1 to"""
    found = search(wanted, lambda stack: (wanted["field"] if seen(stack)[0] == wanted["field"] else 0, seen(stack)[1]))
    return found if wanted["field"] % 2 else None


def wrong_one_layer_too_many(wanted):
    """The depth is"""
    return [*search(wanted), *[{"kernel_size": 3}] * wanted["most_layers"]]


def wrong_pool_without_stride(wanted):
    """allowed pools"""
    return [{**one, "stride": 1} if one["kind"] == "pool" else one for one in search({**wanted, "strides": [1]})]
