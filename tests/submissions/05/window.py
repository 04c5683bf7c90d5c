"""Submissions for 05-window: first and last position over all paths."""

import numpy as np
import torch


def lead(node):
    padding = node["padding"]
    return padding[0] if isinstance(padding, (list, tuple)) else padding


def changed(graph, **numbers):
    return [{**node, **numbers} if "kernel_size" in node else node for node in graph]


def right_ranges(graph, unit):
    reached = {graph[-1]["name"]: (unit, unit)}
    for node in reversed(graph[1:]):
        if node["name"] not in reached:
            continue
        first, last = reached[node["name"]]
        if "kernel_size" in node:
            first = first * node["stride"] - lead(node)
            last = last * node["stride"] - lead(node) + node["dilation"] * (node["kernel_size"] - 1)
        for name in node["from"]:
            old = reached.get(name, (first, last))
            reached[name] = (min(first, old[0]), max(last, old[1]))
    return reached[graph[0]["name"]]


def right_recursion(graph, unit):
    nodes = {node["name"]: node for node in graph}

    def ends(name, first, last):
        node = nodes[name]
        if "from" not in node:
            return first, last
        if "kernel_size" in node:
            first, last = first * node["stride"] - lead(node), last * node["stride"] - lead(node)
            last += node["dilation"] * (node["kernel_size"] - 1)
        parts = [ends(each, first, last) for each in node["from"]]
        return min(a for a, _ in parts), max(b for _, b in parts)

    return list(ends(graph[-1]["name"], unit, unit))


def read(graph, unit):
    wanted = {node["name"]: set() for node in graph}
    wanted[graph[-1]["name"]] = {unit}
    for node in graph[:0:-1]:
        for u in wanted[node["name"]]:
            taps = (
                [u * node["stride"] - lead(node) + t * node["dilation"] for t in range(node["kernel_size"])]
                if "kernel_size" in node
                else [u]
            )
            for name in node["from"]:
                wanted[name] |= set(taps)
    return wanted[graph[0]["name"]]


def right_sets(graph, unit):
    found = read(graph, unit)
    return min(found), max(found)


def right_numpy(graph, unit):
    found = np.array(sorted(read(graph, unit)))
    return found[0], found[-1]


def right_tensor(graph, unit):
    return torch.tensor(right_ranges(graph, unit))


def right_forward(graph, unit):
    """Each node as (stride, first of unit 0, last of unit 0), from the input on."""
    lines = {graph[0]["name"]: (1, 0, 0)}
    for node in graph[1:]:
        parts = [lines[name] for name in node["from"]]
        stride, first, last = parts[0][0], min(p[1] for p in parts), max(p[2] for p in parts)
        if "kernel_size" in node:
            first -= lead(node) * stride
            last += (node["dilation"] * (node["kernel_size"] - 1) - lead(node)) * stride
            stride *= node["stride"]
        lines[node["name"]] = (stride, first, last)
    stride, first, last = lines[graph[-1]["name"]]
    return first + unit * stride * 1.0, last + unit * stride * 1.0


def right_that_empties_its_graph(graph, unit):
    wanted = {graph[-1]["name"]: (unit, unit)}
    while len(graph) > 1:
        node = graph.pop()
        a, b = wanted[node["name"]]
        step, more = node.get("stride", 1), node.get("dilation", 0) * (node.get("kernel_size", 1) - 1)
        move = lead(node) if "padding" in node else 0
        a, b = a * step - move, b * step - move + more
        for name in node["from"]:
            c, d = wanted.get(name, (a, b))
            wanted[name] = np.minimum(a, c), np.maximum(b, d)
    return wanted[graph[0]["name"]]


def wrong_in_line(graph, unit):
    """M13"""
    line, before = [graph[0]], graph[0]["name"]
    for node in graph[1:]:
        if "kernel_size" in node:
            line.append({**node, "from": [before]})
            before = node["name"]
    return right_ranges(line, unit)


def wrong_first_path(graph, unit):
    """You followed the first map of every meeting"""
    return right_recursion([{**n, "from": n["from"][:1]} if "from" in n else n for n in graph], unit)


def wrong_last_path(graph, unit):
    """You followed the last map of every meeting"""
    return right_recursion([{**n, "from": n["from"][-1:]} if "from" in n else n for n in graph], unit)


def wrong_no_padding(graph, unit):
    """M8"""
    return right_ranges(changed(graph, padding=0), unit)


def wrong_no_dilation(graph, unit):
    """M4"""
    return right_ranges(changed(graph, dilation=1), unit)


def wrong_no_stride(graph, unit):
    """A6"""
    return right_ranges(changed(graph, stride=1), unit)


def wrong_unit_0(graph, unit):
    """This is what unit 0 reads"""
    return right_ranges(graph, 0)


def wrong_exclusive(graph, unit):
    """M15"""
    first, last = right_ranges(graph, unit)
    return first, last + 1


def wrong_kernel_for_extent(graph, unit):
    """You let a kernel of k taps make k steps"""
    wider = [{**n, "kernel_size": n["kernel_size"] + 1} if "kernel_size" in n else n for n in graph]
    return right_ranges(wider, unit)


def wrong_overwritten(graph, unit):
    """or let it replace the others"""
    reached = {graph[-1]["name"]: (unit, unit)}
    for node in reversed(graph[1:]):
        first, last = reached[node["name"]]
        if "kernel_size" in node:
            first = first * node["stride"] - lead(node)
            last = last * node["stride"] - lead(node) + node["dilation"] * (node["kernel_size"] - 1)
        for name in node["from"]:
            reached[name] = (first, last)
    return reached[graph[0]["name"]]


def wrong_right_padding(graph, unit):
    """You took the padding on the right"""
    ends = [{**n, "padding": n["padding"][1]} if isinstance(n.get("padding"), list) else n for n in graph]
    return right_ranges(ends, unit)


def wrong_intersection(graph, unit):
    """You kept what all paths read"""
    reached = {graph[-1]["name"]: (unit, unit)}
    for node in reversed(graph[1:]):
        first, last = reached[node["name"]]
        if "kernel_size" in node:
            first = first * node["stride"] - lead(node)
            last = last * node["stride"] - lead(node) + node["dilation"] * (node["kernel_size"] - 1)
        for name in node["from"]:
            old = reached.get(name, (first, last))
            reached[name] = (max(first, old[0]), min(last, old[1]))
    return reached[graph[0]["name"]]


def wrong_size_and_start(graph, unit):
    """You gave the size in the place of the last position"""
    first, last = right_ranges(graph, unit)
    return first, last - first + 1
