"""Submissions for 05-meeting: the first meeting whose maps look at different places."""

import numpy as np
import torch


def lead(node):
    padding = node["padding"]
    return padding[0] if isinstance(padding, list) else padding


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


def meetings(graph):
    return [node for node in graph if len(node.get("from", [])) > 1]


def right_lines(graph):
    found = lines(graph)
    for node in meetings(graph):
        if len({(found[name][0], found[name][1] + found[name][2]) for name in node["from"]}) > 1:
            return node["name"]
    return None


def read(graph, unit, name):
    wanted = {node["name"]: set() for node in graph}
    wanted[name] = {unit}
    for node in reversed(graph[1:]):
        for u in wanted[node["name"]]:
            at = {u}
            if "kernel_size" in node:
                at = {u * node["stride"] - lead(node) + t * node["dilation"] for t in range(node["kernel_size"])}
            for each in node["from"]:
                wanted[each] |= at
    return wanted[graph[0]["name"]]


def right_sets(graph):
    for node in meetings(graph):
        centers = {tuple(min(r) + max(r) for r in (read(graph, u, n) for u in (0, 1))) for n in node["from"]}
        if len(centers) != 1:
            return node["name"]
    return None


def right_unit_0(graph):
    found = lines(graph)
    off = [n["name"] for n in meetings(graph) if len({sum(found[each][1:]) for each in n["from"]}) > 1]
    return off[0] if off else None


def right_numpy(graph):
    found = lines(graph)
    for node in meetings(graph):
        centers = np.array([np.mean(found[name][1:]) for name in node["from"]])
        if np.ptp(centers) > 0:
            return np.str_(node["name"])
    return None


def right_tensors(graph):
    found = lines(graph)
    for node in meetings(graph):
        if torch.tensor([sum(found[name][1:]) / 2 for name in node["from"]]).unique().numel() > 1:
            return node["name"]


def right_next(graph):
    found = lines(graph)
    middle = {name: (first + last) / 2 for name, (_, first, last) in found.items()}
    return next(
        (n["name"] for n in meetings(graph) if max(map(middle.get, n["from"])) > min(map(middle.get, n["from"]))), None
    )


def wrong_never(graph):
    """You compared strides alone"""
    found = lines(graph)
    return next((n["name"] for n in meetings(graph) if len({found[each][0] for each in n["from"]}) > 1), None)


def wrong_first_positions(graph):
    """You compared one end"""
    found = lines(graph)
    return next((n["name"] for n in meetings(graph) if len({found[each][1] for each in n["from"]}) > 1), None)


def wrong_last_positions(graph):
    """You compared one end"""
    found = lines(graph)
    return next((n["name"] for n in meetings(graph) if len({found[each][2] for each in n["from"]}) > 1), None)


def wrong_sizes(graph):
    """only sizes are compared"""
    found = lines(graph)
    sizes = {name: last - first for name, (_, first, last) in found.items()}
    return next((n["name"] for n in meetings(graph) if len({sizes[each] for each in n["from"]}) > 1), None)


def wrong_last_meeting(graph):
    """You named the last meeting, whatever happens there"""
    return meetings(graph)[-1]["name"]


def wrong_first_meeting(graph):
    """You named the first meeting, whatever happens there"""
    return meetings(graph)[0]["name"]


def wrong_last_misaligned(graph):
    """You named the last misaligned meeting"""
    found = lines(graph)
    off = [n["name"] for n in meetings(graph) if len({sum(found[each][1:]) for each in n["from"]}) > 1]
    return off[-1] if off else None


def wrong_paddings_next_to_it(graph):
    """M8"""
    uneven = {n["name"] for n in graph if isinstance(n.get("padding"), list) and n["padding"][0] != n["padding"][1]}
    return next((n["name"] for n in meetings(graph) if uneven & set(n["from"])), None)


def wrong_kernels_left_out(graph):
    """You compared one end"""
    return right_lines([{**n, "kernel_size": 1} if "kernel_size" in n else n for n in graph])


def wrong_no_dilation(graph):
    """M5"""
    return right_lines([{**n, "dilation": 1} if "dilation" in n else n for n in graph])


def wrong_padding_left_out(graph):
    """only sizes are compared"""
    return right_lines([{**n, "padding": 0} if "padding" in n else n for n in graph])


def wrong_the_node_before(graph):
    """You named a map that meets there"""
    found = right_lines(graph)
    return next((n["from"][0] for n in graph if n["name"] == found), None)


def wrong_true_or_false(graph):
    """You said whether there is one"""
    return right_lines(graph) is not None


def wrong_rounded_centers(graph):
    """You lost half a position"""
    found = lines(graph)
    centers = {name: (first + last) // 2 for name, (_, first, last) in found.items()}
    return next((n["name"] for n in meetings(graph) if len({centers[each] for each in n["from"]}) > 1), None)
