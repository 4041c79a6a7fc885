"""From probability and evidence to a label distribution and an action."""
