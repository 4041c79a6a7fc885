"""From scores to the probability that a label is right."""
