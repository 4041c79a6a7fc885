"""Label noise: published protocols, noise files, and what a draw did to the labels."""
