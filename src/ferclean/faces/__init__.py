"""Faces: detection, selection, the similarity warp and the face pack."""
