"""What is painted of one view of a source, large or as one of several."""

from app.pipeline import View
from app.sources import State
from detector.values import LabelMap
from widgets import theme
from widgets.marks_painter import Mark
from widgets.picture import Picture
from widgets.source_words import recording_words
from widgets.video_view import Scene


def scene_of(
    view: View, picture: Picture | None, *, live: bool, labels: LabelMap | None, names: bool
) -> Scene:
    """The picture with its boxes and marks.

    live    whether the source is
    labels  None: no boxes
    names   whether boxes have names and scores
    """
    old = view.status.state not in (State.LIVE, State.ENDED)
    return Scene(
        picture=picture,
        detections=view.detections,
        labels=labels,
        with_text=names,
        veiled=old and view.frame is not None,
        marks=_marks(view, live=live),
    )


def _marks(view: View, *, live: bool) -> tuple[Mark, ...]:
    marks = []
    colours = theme.DARK  # over a picture it is always dark
    if view.recording and view.recording.running:
        marks.append(Mark(recording_words(view.recording), colours.record))
    if view.paused:
        marks.append(Mark("PAUSED", colours.warning))
    elif live and view.status.state is State.LIVE:
        marks.append(Mark("LIVE", colours.good))
    return tuple(marks)
