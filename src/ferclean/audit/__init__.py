"""Which labels are wrong, from probabilities alone: arrays in, arrays out."""
