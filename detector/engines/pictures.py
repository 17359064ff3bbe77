"""A frame as a network takes it: the one way all engines resize, since their answers must agree."""

import cv2

from detector.model_card import ChannelOrder
from detector.values import Frame, Pixels


def fill(picture: Pixels, frame: Frame, channel_order: ChannelOrder) -> None:
    """Writes a frame, stretched to the size of the picture, into it.

    picture  (height, width, 3) uint8, in one piece; overwritten, in `channel_order`
    """
    height, width = picture.shape[:2]
    cv2.resize(frame.pixels, (width, height), dst=picture, interpolation=cv2.INTER_LINEAR)
    if channel_order == "RGB":
        cv2.cvtColor(picture, cv2.COLOR_BGR2RGB, dst=picture)
