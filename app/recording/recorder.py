"""Frames of one size into one video, by whoever has the frames in hand."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from av.error import FFmpegError

from app.recording.clip import Clip, RecordingResult
from app.recording.codecs import DEFAULT_CODEC, find_codec
from app.recording.encoder import TICKS, Encoder
from app.recording.finishing import finish
from app.sources.packets import Packet
from detector.errors import RecordingError
from detector.values import Pixels

SMALLEST_STEP = TICKS // 1000  # Matroska counts milliseconds


class Recorder:
    """Writes frames of one size to an MP4 at their true times.

    Until `close` the recording is OUT.part.mkv (see Clip); `close` makes OUT.mp4 of it without encoding
    again. Used by one thread at a time.

    path           OUT.mp4
    height, width  pixels; a side that is odd grows by one (see Encoder)
    rate           frames a second, where the source knows it; the times decide, this guides the encoder
    codec          a name of `codecs.CODECS`
    force          replace OUT.mp4, at the end, and a part file that nobody writes any more
    raises         RecordingError, from `write` and `close` too; its sentence names the part that plays
    """

    def __init__(
        self,
        path: Path | str,
        height: int,
        width: int,
        rate: float | None = None,
        *,
        codec: str = DEFAULT_CODEC,
        force: bool = False,
    ) -> None:
        self.path = Path(path)
        self._size, self._rate, self._codec, self._force = (height, width), rate, codec, force
        self._clip = Clip(self.path, coding=find_codec(codec).coding, force=force)
        self._encoder: Encoder | None = None
        self._frames = 0
        self._first_pts = 0.0
        self._last_ticks = 0
        self._result: RecordingResult | None = None

    def write(self, pixels: Pixels, pts: float) -> None:
        """Appends one frame.

        pixels  (height, width, 3) uint8 BGR; a frame of another size is scaled to fit
        pts     seconds; the first frame is the start. One that does not rise is moved by a millisecond
        """
        if not self._frames:
            self._first_pts = pts
        ticks = round((pts - self._first_pts) * TICKS)
        if self._frames:
            ticks = max(ticks, self._last_ticks + SMALLEST_STEP)
        self._write(lambda encoder: encoder.encode(pixels, ticks))
        self._last_ticks = ticks
        self._frames += 1

    def close(self) -> RecordingResult:
        """Finishes the file, verifies it, and says what it holds.

        A second call says the same again; after a failure it tries to finish the part file once more.
        """
        if self._result is None:
            try:
                self._end_clip()
                self._result = self._finish()
            finally:
                self._clip.let_go()  # not before: others would take it for a left-over
        return self._result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except RecordingError:
            if not isinstance(error, RecordingError):  # the first reason counts
                raise

    def _end_clip(self) -> None:
        encoder, self._encoder = self._encoder, None
        try:
            if encoder is not None and not self._clip.broken:
                self._write_all(encoder.flush)
        finally:
            self._clip.close()

    def _finish(self) -> RecordingResult:
        clip = self._clip
        if not clip.ticks:
            return RecordingResult(self.path, 0, 0.0)
        return finish(clip.part, self.path, clip.ticks, rate=self._rate, force=self._force)

    def _write(self, encode: Callable[[Encoder], list[Packet]]) -> None:
        if self._clip.broken:
            raise self._clip.failed()

        def encoded() -> list[Packet]:
            if self._encoder is None:
                self._encoder = Encoder(*self._size, self._rate, codec=self._codec)
            return encode(self._encoder)

        self._write_all(encoded)

    def _write_all(self, encoded: Callable[[], list[Packet]]) -> None:
        try:
            packets = encoded()
        except (OSError, ValueError, FFmpegError) as error:
            self._clip.refuse(error)
            raise self._clip.failed() from error
        for packet in packets:
            self._clip.write(packet)
