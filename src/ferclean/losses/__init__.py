"""Per-sample losses; the reduction happens outside."""
