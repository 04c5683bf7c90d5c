"""Submissions for 03-examine: the true size, and each slip that gives the published one."""

import numpy as np
import torch


def size_of(layers):
    size, jump = 1, 1
    for layer in layers:
        size += layer["dilation"] * (layer["kernel_size"] - 1) * jump
        jump *= layer["stride"]
    return size


def examined(layers, published, see=size_of):
    places = range(len(layers))
    return {
        "size": see(layers),
        "twice": [p for p in places if see([*layers[:p], layers[p], *layers[p:]]) == published],
        "missing": [p for p in places if see(layers[:p] + layers[p + 1 :]) == published],
        "reversed": see(layers[::-1]) == published,
    }


def right_lists(layers, published):
    return examined(layers, published)


def right_loops(layers, published):
    twice, missing = [], []
    for place, layer in enumerate(layers):
        longer, shorter = list(layers), list(layers)
        longer.insert(place, layer)
        shorter.pop(place)
        if size_of(longer) == published:
            twice.append(place)
        if size_of(shorter) == published:
            missing.append(place)
    backwards = size_of(list(reversed(layers)))
    return {"reversed": backwards == published, "missing": missing, "twice": twice, "size": size_of(layers)}


def right_from_the_end(layers, published):
    def see(stack):
        size = 1
        for layer in reversed(stack):
            size = layer["stride"] * (size - 1) + layer["dilation"] * (layer["kernel_size"] - 1) + 1
        return size

    return examined(layers, published, see)


def right_numpy(layers, published):
    found = examined(layers, published)
    return {name: value if name == "reversed" else np.array(value, dtype=int) for name, value in found.items()}


def right_numpy_scalars_and_sets(layers, published):
    found = examined(layers, published)
    size, backwards = np.int64(found["size"]), np.bool_(found["reversed"])
    return {"size": size, "twice": set(found["twice"]), "missing": tuple(found["missing"]), "reversed": backwards}


def right_tensors(layers, published):
    found = examined(layers, published)
    return {name: torch.tensor(value) for name, value in found.items()}


def right_whole_floats(layers, published):
    found = examined(layers, published)
    return {**found, "size": float(found["size"]), "twice": [float(place) for place in found["twice"]]}


def wrong_no_dilation(layers, published):
    """M4"""
    return examined(layers, published, lambda stack: size_of([{**layer, "dilation": 1} for layer in stack]))


def wrong_no_strides(layers, published):
    """The strides are missing"""
    return examined(layers, published, lambda stack: size_of([{**layer, "stride": 1} for layer in stack]))


def wrong_other_end(layers, published):
    """These are the layers from the wrong end"""
    return examined(layers, published, lambda stack: size_of(stack[::-1]))


def wrong_jump_too_early(layers, published):
    """M7"""

    def see(stack):
        size, jump = 1, 1
        for layer in stack:
            jump *= layer["stride"]
            size += layer["dilation"] * (layer["kernel_size"] - 1) * jump
        return size

    return examined(layers, published, see)


def wrong_k_steps(layers, published):
    """A7"""
    return examined(
        layers, published, lambda stack: size_of([{**y, "kernel_size": y["kernel_size"] + 1} for y in stack])
    )


def wrong_padding(layers, published):
    """M8"""

    def see(stack):
        size, jump = 1, 1
        for layer in stack:
            size += (layer["dilation"] * (layer["kernel_size"] - 1) + 2 * layer["padding"]) * jump
            jump *= layer["stride"]
        return size

    return examined(layers, published, see)


def wrong_places_from_one(layers, published):
    """You count the places from 1"""
    found = examined(layers, published)
    return {**found, **{name: [place + 1 for place in found[name]] for name in ("twice", "missing")}}


def wrong_first_place_alone(layers, published):
    """You stop at the first place that fits"""
    found = examined(layers, published)
    return {**found, "twice": found["twice"][:1], "missing": found["missing"][:1]}


def wrong_exchanged(layers, published):
    """Twice and missing are exchanged"""
    found = examined(layers, published)
    return {**found, "twice": found["missing"], "missing": found["twice"]}


def wrong_never_reversed(layers, published):
    """You do not try the layers from the wrong end"""
    return {**examined(layers, published), "reversed": False}


def wrong_never_twice(layers, published):
    """You try no layer twice"""
    return {**examined(layers, published), "twice": []}


def wrong_never_missing(layers, published):
    """You leave out no layer"""
    return {**examined(layers, published), "missing": []}


def wrong_size_repeated(layers, published):
    """M11"""
    return {**examined(layers, published), "size": published}
