"""Where a picture lies in a view, and which part of it is seen: arithmetic only."""

from dataclasses import dataclass

MAX_ZOOM = 16.0


@dataclass(frozen=True, slots=True)
class Placement:
    """A picture in a view.

    scale  logical view pixels per frame pixel
    left   view x of the frame's left edge (may lie outside the view when zoomed)
    top    view y of the frame's upper edge
    crop   x1, y1, x2, y2: the frame pixels that are seen, whole numbers
    """

    scale: float
    left: float
    top: float
    crop: tuple[int, int, int, int]

    def to_view(self, x: float, y: float) -> tuple[float, float]:
        return self.left + x * self.scale, self.top + y * self.scale

    def to_frame(self, x: float, y: float) -> tuple[float, float]:
        return (x - self.left) / self.scale, (y - self.top) / self.scale

    @property
    def target(self) -> tuple[float, float, float, float]:
        """x, y, width, height of the crop in the view, logical pixels."""
        x1, y1 = self.to_view(*self.crop[:2])
        x2, y2 = self.to_view(*self.crop[2:])
        return x1, y1, x2 - x1, y2 - y1


@dataclass(frozen=True, slots=True)
class Zoom:
    """How far a person has gone into the picture.

    factor  1 shows the whole picture
    x, y    the place of the frame, 0..1, that lies in the middle of the view
    """

    factor: float = 1.0
    x: float = 0.5
    y: float = 0.5

    def towards(self, factor: float, x: float, y: float) -> "Zoom":
        """Closer (or further) by a factor, with the place x, y (0..1) of the frame staying where it is."""
        new = min(max(self.factor * factor, 1.0), MAX_ZOOM)
        keep = self.factor / new
        return Zoom(new, x + (self.x - x) * keep, y + (self.y - y) * keep)

    def within(self, frame_size: tuple[int, int], view_size: tuple[float, float]) -> "Zoom":
        """The same view said with the place that really lies in the middle: at an edge nothing can follow."""
        placed = place(frame_size, view_size, self)
        if placed is None:
            return self
        x, y = placed.to_frame(view_size[1] / 2, view_size[0] / 2)
        return Zoom(self.factor, x / frame_size[1], y / frame_size[0])


def place(
    frame_size: tuple[int, int], view_size: tuple[float, float], zoom: Zoom | None = None
) -> Placement | None:
    """Fits a frame into a view with its aspect kept; no gap is left that the picture could fill.

    frame_size  height, width in pixels
    view_size   height, width in logical pixels
    returns     None when either has no area
    """
    zoom = zoom or Zoom()
    (frame_height, frame_width), (view_height, view_width) = frame_size, view_size
    if min(frame_height, frame_width, view_height, view_width) < 1:
        return None
    scale = min(view_width / frame_width, view_height / frame_height) * zoom.factor
    left, x1, x2 = _axis(frame_width, view_width, scale, zoom.x)
    top, y1, y2 = _axis(frame_height, view_height, scale, zoom.y)
    return Placement(scale, left, top, (x1, y1, x2, y2))


def _axis(frame: int, view: float, scale: float, middle: float) -> tuple[float, int, int]:
    """Start of the frame in the view and the first and last seen pixel, along one axis."""
    length = frame * scale
    if length <= view + 1e-6:
        return (view - length) / 2, 0, frame
    start = min(max(view / 2 - middle * length, view - length), 0.0)
    first = max(int(-start / scale), 0)
    last = min(int((view - start) / scale) + 1, frame)
    return start, first, max(last, first + 1)
