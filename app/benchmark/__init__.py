"""Measuring speed: what is measured, how it is measured fairly, and how it is told."""
