"""What of a notebook has to run before a given cell: the statements that bind, or may change, the names it uses."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Sequence

from nbformat import NotebookNode


def needed(cells: Sequence[NotebookNode], targets: Iterable[str]) -> list[tuple[str, str]]:
    """The targets, whole, and of the code above them the statements on which they depend: (cell id, source), in order.

    A statement counts as changing a name when it assigns it, imports it, defines it, assigns to an attribute or an item
    of it, or is a call of one of its methods. What is imported does not change by being called.

    Args:
        cells: All cells of a notebook.
        targets: Ids of code cells.
    """
    wanted, names = set(targets), set[str]()
    kept: list[tuple[str, str]] = []
    code = [cell for cell in cells if cell.cell_type == "code"]
    imported = set().union(*(_imported(ast.parse(cell.source)) for cell in code))
    for cell in reversed(code):
        pieces = [cell.source] if cell.id in wanted else _statements(cell.source)
        for piece in reversed(pieces):
            tree = ast.parse(piece)
            bound = _imported(tree) | _assigned(tree)
            if cell.id in wanted or (bound | (_touched(tree) - imported)) & names:
                kept.append((cell.id, piece))
                names = (names - bound) | _used(piece)
    return kept[::-1]


def _statements(source: str) -> list[str]:
    lines = source.splitlines()
    return ["\n".join(lines[_first(node) - 1 : node.end_lineno]) for node in ast.parse(source).body]


def _first(statement: ast.stmt) -> int:
    """The first line of a statement, its decorators counted."""
    return min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", ()))])


def _used(source: str) -> set[str]:
    """The names that a cell takes from outside its functions and comprehensions, those that it binds itself too."""
    found, tables = set[str](), [symtable.symtable(source, "cell", "exec")]
    while tables:
        table = tables.pop()
        outer = table.get_type() == "module"
        found |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and (outer or s.is_global())}
        tables += table.get_children()
    return found


def _imported(tree: ast.Module) -> set[str]:
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name.partition(".")[0] for node in imports for alias in node.names}


def _assigned(tree: ast.Module) -> set[str]:
    """The names that a cell binds for certain: by its own statements, not within a branch or a loop."""
    found = set[str]()
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(statement.name)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            goals = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            found |= {n.id for goal in goals for n in ast.walk(goal) if _is_stored(n)}
    return found


def _is_stored(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _touched(tree: ast.Module) -> set[str]:
    """The names whose values a cell may change."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            found.add(_root(node))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            found.add(_root(node.value.func))
    return found - {""}


def _root(node: ast.AST) -> str:
    """The name at which a chain of attributes, items and calls begins."""
    while not isinstance(node, ast.Name):
        inner = getattr(node, "func", None) or getattr(node, "value", None)
        if inner is None:
            return ""
        node = inner
    return node.id
