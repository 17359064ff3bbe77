"""The recorder's thread: it draws the boxes, encodes or copies, and never holds up a live source."""

import logging
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TypeAlias

from app.pipeline.figures import Measure
from app.pipeline.mailbox import Entry, News
from app.pipeline.recorder.breaks import Breaks
from app.pipeline.recorder.copying import Copying, can_be_copied
from app.pipeline.recorder.encoding import Encoding, Shot
from app.pipeline.recorder.intake import Intake
from app.pipeline.recorder.recording_state import RecordingState
from app.pipeline.recorder.silence import Silence
from app.pipeline.recorder.upkeep import Upkeep
from app.recording.clip import Clip, CodingError, part_path
from app.recording.disk import refuse_full_disk
from app.recording.encoder import TICKS
from app.recording.plan import Mode, RecordingPlan
from app.recording.reel import Reel
from app.recording.sidecar import Finder, Note
from app.sources import Packet, Source, StreamFormat
from detector.errors import RecordingError
from detector.values import Detections, Frame

logger = logging.getLogger(__name__)

_QUEUE_BYTES = 200_000_000
_QUEUE_FRAMES = 50  # two seconds of a usual camera
_QUEUE_PACKETS = 2000


class _Event:
    """Something has happened."""


_Item: TypeAlias = Shot | StreamFormat | Packet | _Event


class LiveRecording:
    """One recording from its start to its last file.

    names   paths of its clips, each free when it is asked for
    folder  where they are
    source  of the frames; it need not be open yet
    copies  whether coded pictures of the source may be written as they are
    patient whether a frame that finds the queue full waits; else it is dropped and counted
    most    frames that may wait in the queue
    raises  RecordingError when the disk is full
    """

    def __init__(
        self,
        names: Iterator[Path],
        folder: Path,
        plan: RecordingPlan,
        *,
        source: Source,
        copies: bool,
        patient: bool,
        most: int = _QUEUE_FRAMES,
        measure: Measure,
        news: News,
    ) -> None:
        refuse_full_disk(folder, plan.limits)
        self._plan, self._source = plan, source
        self._measure, self._news = measure, news
        self._copies = copies and source.offers_packets and plan.mode is not Mode.ANNOTATED
        self._queue, self._most = Intake[_Item](patient=patient), most
        self._arriving = False  # packets that can be copied: what came last, and in the order of the queue
        self._copying = False
        self._last: Entry | None = None  # queued; known to the capture thread only, and so is
        self._broken = False  # whether the newest packet was dropped
        self._lock = threading.Lock()  # guards what follows
        self._running = True
        self._frames, self._seconds = 0, 0.0
        self._path: Path | None = None
        self._failure = self._eased = ""
        self._breaks = Breaks(source.name)
        self._silence = Silence(source.name, measure, on_events=plan.cutting.on_events, patient=patient)
        self._reel = Reel(
            names,
            plan.cutting,
            closed=self._clip_closed,
            sidecars=plan.mode is Mode.SIDECAR,
            force=plan.force,
        )
        self._upkeep = Upkeep(
            folder,
            plan,
            clip=lambda: self._reel.clip,
            rate=lambda: None if self._copying else source.rate,
            stop=self._end_early,
            changed=news.tell,
        )
        # a daemon: what is being written plays as it is, should the program have to end before it is finished
        self._thread = threading.Thread(target=self._run, name=f"record {source.name}", daemon=True)
        self._thread.start()

    @property
    def state(self) -> RecordingState:
        clip = self._reel.clip
        size = clip.size if clip else 0
        files, trouble = self._upkeep.files, self._upkeep.trouble
        with self._lock:
            lasted = self._seconds_of_clip()
            left, room = self._upkeep.room_left(size / lasted if lasted > 1 else None)
            silence = self._silence.words(clip, size, waiting=bool(self._queue))
            return RecordingState(
                path=clip.path if clip else self._path,
                running=self._running,
                waiting=self._running and clip is None and self._plan.cutting.on_events,
                frames=self._frames + (len(clip.ticks) if clip else 0),
                seconds=self._seconds + lasted,
                size=size,
                files=files,
                time_left=left if self._running else None,
                warning=(self._breaks.sentence or silence or room or self._eased) if self._running else "",
                failure=self._failure or trouble,
            )

    # From the capture thread.

    def offer(self, entry: Entry, shown: Detections, found: Detections | None, finder: Finder) -> bool:
        """A captured frame, as it may be seen.

        shown    its boxes as chosen
        found    all of them; None while nobody has looked
        returns  whether it is taken
        """
        frame, before = entry.seen, self._last
        self._silence.shown()
        shot = Shot(
            frame,
            shown,
            finder.labels,
            None if found is None else Note(frame.pts, frame, found, finder),
            cut=before is not None and before.epoch != entry.epoch,
            resized=before is not None and before.frame.pixels.shape != frame.pixels.shape,
        )
        taken = self._put(shot, self._most_like(frame))
        if taken:
            self._last = entry
        return taken

    def offer_coded(self, item: StreamFormat | Packet) -> None:
        """What a camera has sent, before its frame is offered."""
        if not self._copies:
            return
        if isinstance(item, StreamFormat):
            self._arriving = can_be_copied(item)
        elif not self._arriving or (self._broken and not item.keyframe):  # it could not be decoded
            return
        self._broken = not self._put(item, _QUEUE_PACKETS)

    def trigger(self, event: object = None) -> None:
        """An event, from any thread: what came shortly before is kept, and what comes for a while."""
        self._queue.put(_Event())

    def finish(self) -> None:
        """Nothing more is wanted; returns at once."""
        self._queue.close()

    def join(self, timeout: float) -> bool:
        """Whether it was finished within that time."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _put(self, item: Shot | StreamFormat | Packet, most: int) -> bool:
        """Whether it is taken. `most`: waiting ones of its kind."""
        if self._queue.put(item, most):
            self._silence.offered()
            return True
        only_boxes = self._arriving and isinstance(item, Shot)
        if not (only_boxes or self._queue.closed):
            self._measure.unrecorded()
        return False

    # The recorder's thread.

    def _run(self) -> None:
        try:
            try:
                self._write_all()
            finally:
                self._reel.close()
        except RecordingError as error:
            self._end_early(str(error))
        except Exception as error:  # the thread's top: it becomes a sentence
            logger.exception("recording %s failed", self._source.name)
            self._end_early(f"Recording {self._source.name} failed ({type(error).__name__}); see the log.")
        finally:
            self._upkeep.end()
            self._queue.clear()  # nothing is taken any more, while the last files are finished
            self._upkeep.wait()
            with self._lock:
                self._running = False
            self._news.tell()

    def _write_all(self) -> None:
        encoding = Encoding(self._reel, self._plan, self._source)
        copying = Copying(self._reel, self._plan.cutting)
        for item, waiting in self._queue:
            if isinstance(item, Shot | Packet) and self._breaks.resting:
                if isinstance(item, Packet) or not self._copying:
                    self._measure.unrecorded()
                continue
            try:
                self._write(item, encoding, copying, waiting)
                if isinstance(item, Shot | Packet):
                    self._breaks.went_well()
            except CodingError as error:
                if not (self._source.live and self._breaks.worked):
                    raise
                self._measure.unrecorded()
                encoding.give_up()
                self._reel.cut()
                self._breaks.begin(error)
                self._news.tell()
        encoding.end()

    def _write(self, item: _Item, encoding: Encoding, copying: Copying, waiting: int) -> None:
        match item:
            case _Event():
                self._reel.trigger()
            case StreamFormat():
                self._copying = can_be_copied(item)
                if self._copying:
                    try:
                        encoding.end()
                    finally:
                        copying.begin(item)
            case Packet():
                if self._copying:
                    copying.take(item)
            case Shot():
                if not self._copying:
                    encoding.write(item)
                    self._keep_up(encoding, item, waiting)
                elif item.note is not None:
                    self._reel.note(item.note)
                if self._plan.on_sight and len(item.shown):
                    self._reel.trigger()

    def _keep_up(self, encoding: Encoding, shot: Shot, waiting: int) -> None:
        """Works faster before frames have to be dropped."""
        if not self._source.live:
            return
        if preset := encoding.keep_up(waiting, self._most_like(shot.frame)):
            sentence = f"The encoder could not keep up and works faster now ({preset}); files get larger"
            logger.warning("%s: %s", self._source.name, sentence)
            with self._lock:
                self._eased = sentence

    def _most_like(self, frame: Frame) -> int:
        """How many frames like this may wait."""
        return min(self._most, max(4, _QUEUE_BYTES // frame.pixels.nbytes))

    def _clip_closed(self, clip: Clip) -> None:
        with self._lock:
            self._path = clip.path
            if clip.ticks:
                self._frames += len(clip.ticks)
                self._seconds += max(clip.ticks) / TICKS
        self._upkeep.closed(clip)

    def _end_early(self, sentence: str) -> None:
        logger.warning("%s: %s", self._source.name, sentence)
        with self._lock:
            self._failure = self._failure or sentence
        self._queue.close()

    def _seconds_of_clip(self) -> float:
        clip = self._reel.clip
        return clip.ticks[-1] / TICKS if clip and clip.ticks else 0.0


def names_after(path: Path, *, taken: Collection[Path] = ()) -> Iterator[Path]:
    """OUT.mp4, then OUT-2.mp4, OUT-3.mp4, as far as these are free and not taken."""
    yield path
    number = 2
    while True:
        following = path.with_stem(f"{path.stem}-{number}")
        if not (following in taken or following.exists() or part_path(following).exists()):
            yield following
        number += 1
