"""How much nearer carried boxes are to what the detector would say: run by hand with `-m benchmark -s`.

The detector is held to three detections a second: it takes a third of a second for each, and then looks at
the newest frame. The boxes shown meanwhile are compared with what it says on that very frame when it looks at
every one. Boxes are matched greedily within a class; a box of either side without a partner counts as 0.

"Places known" is what carrying could reach at best: the same boxes, each exactly on its partner. What is
missing beyond that are boxes that the detector finds on one frame and not on the next, and objects that come
and go within the age of its answer: no carrying can know of these.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from app.sources import frames, open_source
from app.tracking import Carrying
from app.tracking.identities import wait_for_library
from detector.boxes import iou_matrix
from detector.engines import open_engine
from detector.model_store import find_model
from detector.values import Detections

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

CLIPS = ("one-by-one-person-detection.mp4", "person-bicycle-car-detection.mp4", "traffic.mp4")
PERIOD = 1 / 3  # seconds for a detection
SCORES = (0.5, 0.4, 0.3)


Said = list[tuple[float, Detections]]  # of every frame of a clip: its time, and what the detector says


@pytest.fixture
def said(shared: Path) -> dict[Path, Said]:
    engine = open_engine(find_model("everyday"))
    paths = [shared / "video" / clip for clip in CLIPS]
    return {
        path: [(frame.pts, engine.detect([frame])[0]) for frame in frames(open_source(str(path)))]
        for path in paths
    }


@dataclass
class Agreement:
    """The sum of overlaps, and of how many boxes: of both sides, a pair counting once."""

    overlap: float = 0.0
    pairs: int = 0
    boxes: int = 0

    def add(self, shown: Detections, truth: Detections) -> None:
        overlaps = iou_matrix(shown.boxes, truth.boxes) * (shown.class_ids[:, None] == truth.class_ids)
        self.boxes += len(shown) + len(truth)
        while overlaps.size and (best := overlaps.max()) > 0:
            one, other = np.unravel_index(overlaps.argmax(), overlaps.shape)
            overlaps[one], overlaps[:, other] = 0, 0
            self.overlap += float(best)
            self.pairs += 1

    @property
    def mean(self) -> float:
        return self.overlap / (self.boxes - self.pairs)

    @property
    def at_best(self) -> float:
        return self.pairs / (self.boxes - self.pairs)


def measured(clip: Path, said: Said, min_score: float) -> tuple[Agreement, Agreement]:
    """Boxes that stay, and boxes that are carried."""
    stay, carry, carrying = Agreement(), Agreement(), Carrying()
    newest = Detections.empty()
    looked_at, ready = 0, said[0][0] + PERIOD
    for number, frame in enumerate(frames(open_source(str(clip)))):
        carrying.saw(frame, number, follows=number > 0)
        if frame.pts >= ready - 1e-6:
            seconds, newest = said[looked_at]
            carrying.found(newest, looked_at, seconds, min_score=min_score)
            looked_at, ready = number, frame.pts + PERIOD
        truth = said[number][1].above(min_score)
        stay.add(newest.above(min_score), truth)
        carried = carrying.at(number)
        carry.add(Detections.empty() if carried is None else carried.above(min_score), truth)
    return stay, carry


def test_boxes_that_stay_and_boxes_that_are_carried(said: dict[Path, Said]) -> None:
    wait_for_library()
    print("\n| min. score | clip | boxes that stay | carried | shortfall less by | places known |")
    print("|---|---|---|---|---|---|")
    for min_score in SCORES:
        values = []
        for clip, detections in said.items():
            stay, carry = measured(clip, detections, min_score)
            values.append((stay.mean, carry.mean, carry.at_best))
            print(_row(min_score, clip.stem, values[-1]))
        mean = tuple(np.mean(values, axis=0))
        print(_row(min_score, "mean of the three", mean))
        assert mean[1] > mean[0]


def _row(min_score: float, clip: str, values: tuple[float, ...]) -> str:
    stay, carried, best = values
    less = 1 - (1 - carried) / (1 - stay)
    return f"| {min_score:g} | {clip} | {stay:.3f} | {carried:.3f} | {less:.0%} | {best:.3f} |"
