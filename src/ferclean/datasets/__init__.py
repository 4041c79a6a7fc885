"""Readers of labelled picture collections, safe decoding, duplicates and splits."""
