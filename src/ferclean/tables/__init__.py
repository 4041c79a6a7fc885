"""Label tables, partitions, packs and atomic writes."""
