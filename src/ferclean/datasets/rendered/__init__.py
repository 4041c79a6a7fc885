"""Rendered faces: the embedded default data set, drawn by the program itself.

Nothing is downloaded; every picture's expression is known, and so is the true distribution of
the compound ones. :func:`plan_faces` decides what is on the pictures, :func:`render_face` draws
one, :func:`read_rendered` is what ingestion reads.
"""

from ferclean.datasets.rendered.plan import plan_faces
from ferclean.datasets.rendered.reader import iterate_rendered, read_rendered
from ferclean.datasets.rendered.render import encode_jpeg, render_face

__all__ = ["encode_jpeg", "iterate_rendered", "plan_faces", "read_rendered", "render_face"]
