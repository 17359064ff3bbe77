"""Which box is which object: ByteTrack of the `trackers` package, told where its tracks have moved to."""

import logging
import threading
from typing import Any

import numpy as np

from detector.values import Boxes, Detections, Ids

logger = logging.getLogger(__name__)

LOWEST_SCORE = 0.1  # weaker boxes neither begin a track nor go on with one
_LOST_AFTER = 1.5  # seconds without a match after which a track is given up
_CLOCK_STEP = 0.001  # seconds

_libraries: dict[str, Any] = {}
_loading = threading.Lock()
_loaded = threading.Event()


class Identities:
    """The tracks of one source. For one thread at a time.

    The library takes seconds to load: it does so in a thread of its own, and until then nothing is known.
    """

    def __init__(self) -> None:
        self._tracker: Any = None
        self._given = 0  # ids of this tracker
        self._first_id = 0  # ids go on rising after `reset`: no two objects of a source share one
        self._seconds = 0.0
        _load_beside()

    def reset(self) -> None:
        """What comes has nothing to do with what was."""
        self._first_id += self._given
        self._tracker, self._given = None, 0

    def boxes(self) -> Boxes:
        """Where the tracks were last, (n, 4) float32."""
        tracks = self._tracker.tracks if self._tracker is not None else ()
        return np.array([track.get_state_bbox() for track in tracks], np.float32).reshape(-1, 4)

    def known(
        self, detections: Detections, seconds: float, *, moved_to: Boxes, min_score: float
    ) -> Ids | None:
        """Goes on with the tracks.

        detections  of a later frame than before
        seconds     of the source's clock
        moved_to    (n, 4) float32, what became of `boxes()` since
        min_score   what begins a track
        returns     (n,) int32, -1 for boxes of no track and of tracks seen only once; None while loading
        """
        if self._tracker is None:
            if not _libraries:
                return None
            buffer = round(_LOST_AFTER * 30)  # it counts in thirtieths of a second
            self._tracker = _libraries["trackers"].ByteTrackTracker(lost_track_buffer=buffer)
            self._seconds = seconds - _CLOCK_STEP
        self._seconds = max(seconds, self._seconds + _CLOCK_STEP)  # it warns of clocks that stand still
        tracker = self._tracker
        tracker.track_activation_threshold = tracker.high_conf_det_threshold = max(min_score, LOWEST_SCORE)
        for track, box in zip(tracker.tracks, moved_to):
            state = track.state_estimator.kf.state
            state[:4], state[4:] = box.reshape(state[:4].shape), 0.0  # it need not guess their speed
        fed = detections.above(LOWEST_SCORE)
        asked = fed.to_supervision()
        asked.data["index"] = np.arange(len(fed))
        answer = tracker.update(asked, timestamp=self._seconds)
        ids = np.full(len(detections), -1, np.int32)
        if len(answer):
            own = np.asarray(answer.tracker_id)
            self._given = max(self._given, int(own.max()) + 1)
            ids[answer.data["index"]] = np.where(own < 0, -1, own + self._first_id)
        return ids


def _load_beside() -> None:
    """Loads the library in a thread, once for all."""

    def load() -> None:
        try:
            import trackers
        except ImportError as error:  # boxes are carried all the same
            logger.warning("Objects get no numbers: %s. Install what requirements.txt lists.", error)
        else:
            _libraries["trackers"] = trackers
        finally:
            _loaded.set()

    if _loading.acquire(blocking=False):  # never given back: it is loaded or being loaded
        threading.Thread(target=load, name="load trackers", daemon=True).start()


def wait_for_library() -> None:
    """For those who must not miss a frame. Also where it cannot be loaded."""
    _load_beside()
    _loaded.wait()
