"""ferclean: repair noisy facial-expression labels and train classifiers that resist them."""

__version__ = "0.1.0"
