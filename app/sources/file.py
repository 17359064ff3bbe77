"""A video file."""

from app.sources.recorded import Recorded


class VideoFile(Recorded):
    """Every frame of a file once, in order, as fast as it is asked for."""

    seekable = True
    reader = "app.sources.readers.file"
