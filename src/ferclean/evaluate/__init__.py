"""What a run achieved: arrays and tables in, numbers and frames out."""
