"""Submissions for 05-positions: every input position that a unit reads, through repeats too."""

import numpy as np
import torch


def lead(node):
    padding = node["padding"]
    return padding[0] if isinstance(padding, list) else padding


def below(node, unit):
    if "kernel_size" in node:
        start = unit * node["stride"] - lead(node)
        return {start + tap * node["dilation"] for tap in range(node["kernel_size"])}
    return {unit // node.get("upsample", 1)}


def read(graph, unit, below=below):
    needed = {node["name"]: set() for node in graph}
    needed[graph[-1]["name"]] = {unit}
    for node in reversed(graph[1:]):
        found = set().union(*(below(node, each) for each in needed[node["name"]]))
        for name in node["from"]:
            needed[name] |= found
    return needed[graph[0]["name"]]


def changed(graph, **numbers):
    return [{**node, **numbers} if "kernel_size" in node else node for node in graph]


def right_sets(graph, unit):
    return sorted(read(graph, unit))


def right_recursion(graph, unit):
    nodes = {node["name"]: node for node in graph}

    def inputs(name, unit):
        node = nodes[name]
        if "from" not in node:
            return {unit}
        return {x for u in below(node, unit) for each in node["from"] for x in inputs(each, u)}

    return sorted(inputs(graph[-1]["name"], unit))


def right_numpy(graph, unit):
    wanted = {graph[-1]["name"]: np.array([unit])}
    for node in graph[:0:-1]:
        units = wanted[node["name"]]
        if "kernel_size" in node:
            taps = node["dilation"] * np.arange(node["kernel_size"]) - lead(node)
            units = (units[:, None] * node["stride"] + taps).ravel()
        else:
            units = units // node.get("upsample", 1)
        for name in node["from"]:
            wanted[name] = np.union1d(wanted.get(name, units), units)
    return wanted[graph[0]["name"]]


def right_tensor(graph, unit):
    return torch.tensor(sorted(read(graph, unit)))


def right_whole_floats(graph, unit):
    return [float(x) for x in sorted(read(graph, unit))]


def right_a_set(graph, unit):
    return read(graph, unit)


def right_stack_of_pairs(graph, unit):
    nodes = {node["name"]: node for node in graph}
    todo, seen, found = [(graph[-1]["name"], unit)], set(), set()
    while todo:
        name, at = todo.pop()
        if (name, at) in seen:
            continue
        seen.add((name, at))
        if "from" not in nodes[name]:
            found.add(at)
            continue
        todo += [(each, x) for each in nodes[name]["from"] for x in below(nodes[name], at)]
    return tuple(sorted(found))


def wrong_filled(graph, unit):
    """M17"""
    found = read(graph, unit)
    return list(range(min(found), max(found) + 1))


def wrong_ends_only(graph, unit):
    """You gave the ends of the window"""
    found = read(graph, unit)
    return min(found), max(found)


def wrong_in_line(graph, unit):
    """M13"""
    line, before = [graph[0]], graph[0]["name"]
    for node in graph[1:]:
        if len(node["from"]) == 1:
            line.append({**node, "from": [before]})
            before = node["name"]
    return sorted(read(line, unit))


def wrong_skip_left_out(graph, unit):
    """You followed the first map of every meeting"""
    return sorted(read([{**n, "from": n["from"][:1]} if "from" in n else n for n in graph], unit))


def wrong_skip_alone(graph, unit):
    """You followed the last map of every meeting"""
    return sorted(read([{**n, "from": n["from"][-1:]} if "from" in n else n for n in graph], unit))


def wrong_no_padding(graph, unit):
    """M8"""
    return sorted(read(changed(graph, padding=0), unit))


def wrong_no_dilation(graph, unit):
    """M4"""
    return sorted(read(changed(graph, dilation=1), unit))


def wrong_no_stride(graph, unit):
    """A6"""
    return sorted(read(changed(graph, stride=1), unit))


def wrong_unit_0(graph, unit):
    """This is what unit 0 reads"""
    return sorted(read(graph, 0))


def wrong_repeat_ignored(graph, unit):
    """You let an upsampled map keep its spacing"""
    return sorted(read([{**n, "upsample": 1} if "upsample" in n else n for n in graph], unit))


def wrong_repeat_multiplied(graph, unit):
    """You multiplied by the factor of a repeat"""

    def other(node, unit):
        return {unit * node["upsample"]} if "upsample" in node else below(node, unit)

    return sorted(read(graph, unit, other))


def wrong_repeat_rounded_up(graph, unit):
    """You rounded up behind a repeat"""

    def other(node, unit):
        return {-(-unit // node["upsample"])} if "upsample" in node else below(node, unit)

    return sorted(read(graph, unit, other))


def wrong_inside_only(graph, unit):
    """You left out the negative positions"""
    return [x for x in sorted(read(graph, unit)) if x >= 0]
