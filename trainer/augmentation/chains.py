"""The chains of steps that can be asked for by name."""

from collections.abc import Callable
from dataclasses import replace

import cv2

from detector.errors import OptionError
from trainer.augmentation.photometric import PhotometricDistortion
from trainer.augmentation.sample import Chain, Step
from trainer.augmentation.shape import Mirror, QuarterTurns, Resize, Upend
from trainer.augmentation.zoom import CropSampler, Expand


def _original(height: int, width: int) -> Chain:
    """The chain of the SSD paper's own program: light, zoom out, zoom in, resize, mirror."""
    return (
        PhotometricDistortion(),
        Expand(),
        CropSampler(),
        Resize(height=height, width=width),
        Mirror(),
    )


def _satellite(height: int, width: int) -> Chain:
    """For pictures from above (satellites, microscopes), where no side is up: the same in any orientation."""
    return (
        PhotometricDistortion(),
        Expand(),
        CropSampler(),
        QuarterTurns(),  # before the resizing: the sides may change places
        Resize(height=height, width=width),
        Mirror(),
        Upend(),
    )


def _plain(height: int, width: int) -> Chain:
    """Nothing but the size, resized as the engines do."""
    return (Resize(height=height, width=width, interpolations=(cv2.INTER_LINEAR,)),)


CHAINS: dict[str, Callable[[int, int], Chain]] = {
    "original": _original,
    "satellite": _satellite,
    "none": _plain,
}


def chain(
    name: str,
    *,
    height: int,
    width: int,
    zoom_out: float = Expand().largest,
    zoom_in: float = CropSampler().scale[0],
) -> Chain:
    """The steps of a named chain that ends in pictures of this size.

    zoom_out  sides of the largest canvas, in sides of the picture; 1: none. The original's 4 is for an SSD
              whose first map has 38 cells a side; what is a 16th of its size, one with 19 cannot learn
    zoom_in   sides of the smallest part, in sides of the picture; 1: always the whole picture
    raises    OptionError for a name that is none of `CHAINS`
    """
    if name not in CHAINS:
        raise OptionError(f"There is no augmentation '{name}'; it is one of {', '.join(CHAINS)}.")
    steps: list[Step] = []
    for step in CHAINS[name](height, width):
        match step:
            case Expand():
                steps += [replace(step, largest=zoom_out)] if zoom_out > 1 else []
            case CropSampler():
                steps += [replace(step, scale=(zoom_in, 1.0))] if zoom_in < 1 else []
            case _:
                steps.append(step)
    return tuple(steps)
