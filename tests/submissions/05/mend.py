"""Submissions for 05-mend: another padding of one node, so that the paths look at the same places."""

import copy

import numpy as np


def lead(node):
    padding = node["padding"]
    return padding[0] if isinstance(padding, list) else padding


def around(node):
    padding = node["padding"]
    return sum(padding) if isinstance(padding, list) else 2 * padding


def lines(graph):
    """Of each node the stride, and the ends of unit 0's window."""
    found = {graph[0]["name"]: (1, 0, 0)}
    for node in graph[1:]:
        parts = [found[name] for name in node["from"]]
        stride, first, last = parts[0][0], min(p[1] for p in parts), max(p[2] for p in parts)
        if "kernel_size" in node:
            first -= lead(node) * stride
            last += (node["dilation"] * (node["kernel_size"] - 1) - lead(node)) * stride
            stride *= node["stride"]
        found[node["name"]] = (stride, first, last)
    return found


def misaligned(graph):
    found = lines(graph)
    for node in graph:
        if len({sum(found[name][1:]) for name in node.get("from", [])}) > 1:
            return node["name"]
    return None


def padded(graph, free, padding):
    return [{**node, "padding": padding} if node["name"] == free else node for node in graph]


def node_of(graph, free):
    return next(node for node in graph if node["name"] == free)


def right_tries_all(graph, length, free):
    both = around(node_of(graph, free))
    for left in range(both + 1):
        mended = padded(graph, free, [left, both - left])
        if misaligned(mended) is None:
            return mended


def off_by(graph):
    """How far the main path of the first misaligned meeting is off, in steps of its own, and where."""
    found = lines(graph)
    where = misaligned(graph)
    main, other = node_of(graph, where)["from"]
    return sum(found[main][1:]) - sum(found[other][1:])


def right_computes_the_move(graph, length, free):
    node = node_of(graph, free)
    jump = lines(graph)[node["from"][0]][0]  # a padding moves the window by jumps of the map that it pads
    left = lead(node) + off_by(graph) // (2 * jump)
    return padded(graph, free, [left, around(node) - left])


def right_in_place(graph, length, free):
    node = node_of(graph, free)
    both = around(node)
    for left in range(both + 1):
        node["padding"] = (left, both - left)
        if not misaligned([{**n, "padding": list(n["padding"])} if n is node else n for n in graph]):
            return graph


def right_on_a_deep_copy(graph, length, free):
    mended = copy.deepcopy(graph)
    node = node_of(mended, free)
    both, start = around(node), lead(node)
    for left in sorted(range(both + 1), key=lambda left: abs(left - start)):
        node["padding"] = [np.int64(left), np.int64(both - left)]
        if misaligned(mended) is None:
            return mended
    return None


def right_every_padding_as_a_pair(graph, length, free):
    pairs = [{**n, "padding": [lead(n), around(n) - lead(n)]} if "padding" in n else n for n in graph]
    return tuple(right_tries_all(pairs, length, free))


def right_whole_floats(graph, length, free):
    mended = right_tries_all(graph, length, free)
    return padded(mended, free, [float(side) for side in node_of(mended, free)["padding"]])


def wrong_unchanged(graph, length, free):
    """still look at different places"""
    return graph


def wrong_padded_evenly(graph, length, free):
    """You padded evenly"""
    node = node_of(graph, free)
    reach = node["dilation"] * (node["kernel_size"] - 1)
    return padded(graph, free, [reach // 2, reach - reach // 2])


def wrong_swapped(graph, length, free):
    """still look at different places"""
    node = node_of(graph, free)
    return padded(graph, free, [around(node) - lead(node), lead(node)])


def wrong_all_evenly(graph, length, free):
    """was changed; only that of"""
    return [{**n, "padding": n["dilation"] * (n["kernel_size"] - 1) // 2} if "kernel_size" in n else n for n in graph]


def wrong_more_on_the_left(graph, length, free):
    """maps of different length meet"""
    node = node_of(graph, free)
    for left in range(9):
        mended = padded(graph, free, [left, around(node) - lead(node) + 2])
        if misaligned(mended) is None:
            return mended


def wrong_no_padding(graph, length, free):
    """maps of different length meet"""
    return padded(graph, free, 0)


def wrong_one_step_right(graph, length, free):
    """still look at different places"""
    node = node_of(graph, free)
    return padded(graph, free, [lead(node) + 1, max(0, around(node) - lead(node) - 1)])


def wrong_the_node_alone(graph, length, free):
    """it is no list of"""
    return node_of(right_tries_all(graph, length, free), free)


def wrong_the_padding_alone(graph, length, free):
    """it is no list of"""
    return node_of(right_tries_all(graph, length, free), free)["padding"]


def wrong_another_kernel(graph, length, free):
    """differs in more than its padding"""
    return [{**n, "kernel_size": 1, "padding": 0} if n["name"] == free else n for n in graph]


def wrong_without_the_meeting(graph, length, free):
    """it is no list of"""
    return [n for n in graph if n["name"] != misaligned(graph)]


def wrong_negative(graph, length, free):
    """no whole number and no pair"""
    return padded(graph, free, [-1, around(node_of(graph, free)) + 1])


def wrong_a_half(graph, length, free):
    """no whole number and no pair"""
    return padded(graph, free, around(node_of(graph, free)) / 2 + 0.5)


def wrong_moved_double(graph, length, free):
    """still look at different places"""
    node = node_of(graph, free)
    left = min(max(lead(node) + off_by(graph), 0), around(node))
    return padded(graph, free, [left, around(node) - left])


def wrong_nothing(graph, length, free):
    """it is no list of"""
