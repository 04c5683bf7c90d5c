"""A graph of operations and what its units read; standard library only.

sets.py and relations.py say what one operation reads, views.py where a view's positions lie; roles.py names the axes.
Two computations stand on the graph: real sets, pulled back (graph.py), and ideal windows, carried forward (lines.py,
where they repeat, spans.py where not). alignment.py compares paths; axis_graph.py is the face for graphs made by hand.
"""
