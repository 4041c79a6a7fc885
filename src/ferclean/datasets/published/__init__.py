"""Data sets in the layout in which their publishers hand them out."""
