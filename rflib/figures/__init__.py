"""Pictures of receptive fields: a result goes in, a drawing comes out, nothing is worked out here.

Every function returns a `Drawing`: a matplotlib figure together with the sentence that says what it shows. The figures
are made without pyplot, so they touch no global state, choose no backend and can be drawn in any thread. Colors are
those of Okabe and Ito, which color-blind readers can tell apart, and no difference is carried by color alone.

drawing.py holds what all pictures share, units.py the pictures of an analyzed layer, stacks.py those of a stack of
layers, fields.py those of effective fields.
"""

from rflib.figures.drawing import Drawing
from rflib.figures.fields import draw_effective, draw_field_in_training
from rflib.figures.stacks import draw_growth, draw_stack
from rflib.figures.units import draw_grid, draw_mask, draw_unit

__all__ = [
    "Drawing",
    "draw_effective",
    "draw_field_in_training",
    "draw_grid",
    "draw_growth",
    "draw_mask",
    "draw_stack",
    "draw_unit",
]
