"""Graphs as pictures: a layered layout, SVG without any dependency, Graphviz DOT.

It draws labels and edges; it knows no search space and checks nothing.
"""

from ngae.drawing.difference import draw_difference
from ngae.drawing.dot import to_dot
from ngae.drawing.picture import draw_graph, draw_thumbnail
from ngae.drawing.svg import legend_html

__all__ = ["draw_difference", "draw_graph", "draw_thumbnail", "legend_html", "to_dot"]
