"""Changing labelled pictures at random so that a network never sees one twice.

A chain is a tuple of steps; a step is a frozen configuration that draws a change; a change is a frozen value
that makes one sample of another. `augment(sample, chain("original", height=300, width=300), rng)` does all;
the same state of `rng` gives the same sample wherever it runs.
"""

from trainer.augmentation.chains import CHAINS, chain
from trainer.augmentation.sample import Chain, Change, Sample, Step, augment

__all__ = ["CHAINS", "Chain", "Change", "Sample", "Step", "augment", "chain"]
