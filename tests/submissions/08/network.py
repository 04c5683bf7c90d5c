"""Submissions for 08-network: each makes an answer of a network that has been trained, and of its design.

Here a submission takes what the learner's notebook has at hand: the design, a tuple of stages, and the weights by name.
"""

from dataclasses import asdict

import numpy as np

from rflib import experiments as ex


def right_as_the_solution(design, weights):
    return {"design": [asdict(stage) for stage in design], "weights": {n: t.tolist() for n, t in weights.items()}}


def right_numpy(design, weights):
    return {"design": [asdict(stage) for stage in design], "weights": {n: t.numpy() for n, t in weights.items()}}


def right_state_dict(design, weights):
    return {"design": list(map(asdict, design)), "weights": weights}


def right_without_defaults(design, weights):
    usual = asdict(ex.Stage("pool"))
    stages = [{k: v for k, v in asdict(s).items() if k == "kind" or usual[k] != v} for s in design]
    return {"weights": {n: t.double().tolist() for n, t in weights.items()}, "design": tuple(stages)}


def right_rounded(design, weights):
    return {
        "design": [asdict(stage) for stage in design],
        "weights": {name: np.round(tensor.numpy(), 4).tolist() for name, tensor in weights.items()},
    }


def answer(design, weights):
    return right_as_the_solution(design, weights)


def scaled(design, weights, factor):
    return answer(design, {name: tensor * factor for name, tensor in weights.items()})


def wrong_untrained(design, weights):
    """its accuracy on ink is"""
    return answer(design, ex.fit_capstone(design, steps=1, progress=False).state_dict())


def wrong_zeros(design, weights):
    """its IoU of the mask is 0.0"""
    return scaled(design, weights, 0)


def wrong_other_seed(design, weights):
    """its accuracy on ink is"""
    return {**answer(design, weights), "weights": answer(design, {n: t.flip(0) for n, t in weights.items()})["weights"]}


def wrong_too_costly(design, weights):
    """multiply-adds a pixel; the budget is 2,000"""
    return answer([ex.conv(64), *design], weights)


def wrong_the_lesson_s_network(design, weights):
    """it costs 2,816 multiply-adds"""
    return answer(ex.DESIGNS["mixed"], weights)


def short(design):
    """The design without its pools: a field of 11."""
    return [ex.conv(6), ex.conv(8), ex.conv(8), ex.conv(8), ex.conv(4)]


def wrong_field(design, weights):
    """a unit sees 11 pixels, and a digit is 24 wide"""
    return answer(short(design), ex.fit_capstone(short(design), steps=1, progress=False).state_dict())


def wrong_pooled_alone(design, weights):
    """Everything passes through a pool"""
    pool, up = ex.Stage("pool"), ex.Stage("up")
    pooled = [pool, pool, ex.conv(8), ex.conv(8), ex.conv(8), up, up]
    return answer(pooled, ex.fit_capstone(pooled, steps=20, progress=False).state_dict())


def wrong_not_a_number(design, weights):
    """are not all finite"""
    return scaled(design, weights, float("nan"))


def wrong_infinite(design, weights):
    """are not all finite"""
    return {**answer(design, weights), "weights": {**answer(design, weights)["weights"], "head.bias": [1e39] * 11}}


def wrong_transposed(design, weights):
    """have the shape"""
    return answer(design, {name: tensor.T if tensor.dim() == 4 else tensor for name, tensor in weights.items()})


def wrong_ragged(design, weights):
    """are no nested lists of numbers"""
    return {**answer(design, weights), "weights": {**answer(design, weights)["weights"], "head.bias": [[1], 2]}}


def wrong_words(design, weights):
    """are no nested lists of numbers"""
    return {**answer(design, weights), "weights": {**answer(design, weights)["weights"], "head.bias": "all right"}}


def wrong_a_name_missing(design, weights):
    """differ in head.bias; hand in state_dict()"""
    return answer(design, {name: tensor for name, tensor in weights.items() if name != "head.bias"})


def wrong_parameters_alone(design, weights):
    """hand in state_dict()"""
    return answer(design, {name: tensor for name, tensor in weights.items() if "running" not in name})


def wrong_a_name_more(design, weights):
    """differ in extra"""
    return answer(design, {**weights, "extra": next(iter(weights.values()))})


def wrong_weights_of_another_design(design, weights):
    """the shape"""
    wider = [ex.conv(stage.channels + 1, 3, stage.dilation) if stage.kind == "conv" else stage for stage in design]
    return answer([*wider[:6], *design[6:]], weights)


def wrong_design_alone(design, weights):
    """it is no dictionary of"""
    return [asdict(stage) for stage in design]


def wrong_stages_as_words(design, weights):
    """stage 1 is no dictionary"""
    return {**answer(design, weights), "design": [stage.kind for stage in design]}


def wrong_a_pool_too_many(design, weights):
    """the design cannot be built"""
    return answer([*design, ex.Stage("pool")], weights)


def wrong_even_kernel(design, weights):
    """must be an odd integer"""
    plain = answer(design, weights)
    return {**plain, "design": [{**plain["design"][0], "kernel_size": 4}, *plain["design"][1:]]}


def wrong_accuracy_claimed(design, weights):
    """it is no dictionary of"""
    return {**answer(design, weights), "accuracy": 1.0}
