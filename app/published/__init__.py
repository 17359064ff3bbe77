"""Weights that others have published: what there is, fetching it, making a model of it."""
