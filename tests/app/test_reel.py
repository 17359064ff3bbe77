"""Coded pictures cut into clips: around events, by time, by size, and the boxes that belong to each."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.recording.clip import Clip
from app.recording.encoder import TICKS, Encoder
from app.recording.finishing import finish
from app.recording.plan import RecordingPlan
from app.recording.reel import Cutting, Reel
from app.recording.sidecar import Finder, Note
from app.recording.sidecar_reading import Sidecar
from app.sources.packets import Packet
from detector.errors import OptionError
from detector.values import Detections, Frame
from tests.app.outputs import lines_of
from tests.app.test_clips import numbers_in
from tests.app.videos import numbered_picture
from tests.app.watching import LABELS

RATE = 10


@pytest.fixture(scope="module")
def packets() -> list[Packet]:
    """Twenty seconds of numbered pictures, ten a second, a key frame each second."""
    encoder = Encoder(96, 192, float(RATE))
    coded = [encoder.encode(numbered_picture(number), number * TICKS // RATE) for number in range(200)]
    return [*itertools.chain.from_iterable(coded), *encoder.flush()]


class Cutter:
    """A reel whose clips are finished when they are closed."""

    def __init__(self, folder: Path, cutting: Cutting, *, sidecars: bool = False) -> None:
        self.numbers: list[list[int]] = []
        self.paths: list[Path] = []
        self._folder = folder
        self.reel = Reel(self._names(), cutting, closed=self._closed, sidecars=sidecars)

    def _names(self) -> Iterator[Path]:
        return (self._folder / f"{number}.mp4" for number in itertools.count())

    def _closed(self, clip: Clip) -> None:
        finish(clip.part, clip.path, clip.ticks, rate=float(RATE))
        self.paths.append(clip.path)
        self.numbers.append(numbers_in(clip.path)[1])
        clip.let_go()


def test_without_limits_all_is_one_clip(tmp_path: Path, packets: list[Packet]) -> None:
    cutter = Cutter(tmp_path, Cutting())
    for packet in packets[:50]:
        cutter.reel.take(packet)
    cutter.reel.close()
    assert cutter.numbers == [list(range(50))]


def test_segments_of_a_length_lose_nothing_between_them(tmp_path: Path, packets: list[Packet]) -> None:
    cutter = Cutter(tmp_path, Cutting(segment_seconds=3.0))
    for packet in packets[:100]:
        cutter.reel.take(packet)
    cutter.reel.close()
    assert [len(numbers) for numbers in cutter.numbers] == [30, 30, 30, 10]
    assert list(itertools.chain(*cutter.numbers)) == list(range(100))


def test_segments_of_a_size_are_cut_at_the_next_key_frame(tmp_path: Path, packets: list[Packet]) -> None:
    each_second = sum(len(packet.content) for packet in packets) / 20
    limit = max(100_000, round(3 * each_second))
    repeats = round(limit / each_second / 3) + 1
    cutter = Cutter(tmp_path, Cutting(segment_bytes=limit))
    stream = [
        Packet(each.content, each.pts + 20 * turn, each.dts + 20 * turn, each.keyframe)
        for turn in range(repeats * 2)
        for each in packets
    ]
    for packet in stream:
        cutter.reel.take(packet)
    cutter.reel.close()
    assert len(cutter.paths) > 1
    sizes = [path.stat().st_size for path in cutter.paths[:-1]]
    assert all(0.8 * limit < size < limit + 3 * each_second for size in sizes)
    assert sum(map(len, cutter.numbers)) == len(stream)


def test_a_stream_is_recorded_from_its_first_key_frame(tmp_path: Path, packets: list[Packet]) -> None:
    cutter = Cutter(tmp_path, Cutting())
    for packet in packets[5:40]:
        cutter.reel.take(packet)
    cutter.reel.close()
    assert cutter.numbers == [list(range(10, 40))]


def test_an_event_keeps_what_came_before_and_after_it(tmp_path: Path, packets: list[Packet]) -> None:
    cutter = Cutter(tmp_path, Cutting(on_events=True, pre_roll=2.5, post_roll=3.0))
    for number, packet in enumerate(packets):
        cutter.reel.take(packet)
        if number == 84:
            cutter.reel.trigger()
    cutter.reel.close()
    # 2.5 s before 8.4 s is 5.9 s: from the key frame at 5 s. 3 s after it is 11.4 s: to the one at 12 s.
    assert cutter.numbers == [list(range(50, 120))]


def test_events_that_follow_each_other_make_one_clip_and_later_ones_another(
    tmp_path: Path, packets: list[Packet]
) -> None:
    cutter = Cutter(tmp_path, Cutting(on_events=True, pre_roll=0.5, post_roll=2.0))
    for number, packet in enumerate(packets):
        cutter.reel.take(packet)
        if number in (30, 45, 130):
            cutter.reel.trigger()
    cutter.reel.close()
    assert [(numbers[0], numbers[-1]) for numbers in cutter.numbers] == [(20, 69), (120, 149)]


def test_an_event_that_lasts_is_cut_into_segments_too(tmp_path: Path, packets: list[Packet]) -> None:
    cutting = Cutting(on_events=True, pre_roll=0.0, post_roll=1.0, segment_seconds=4.0)
    cutter = Cutter(tmp_path, cutting)
    for packet in packets[:100]:
        cutter.reel.take(packet)
        cutter.reel.trigger()
    cutter.reel.close()
    assert list(itertools.chain(*cutter.numbers)) == list(range(100))
    assert len(cutter.numbers) == 3


def test_no_event_no_file(tmp_path: Path, packets: list[Packet]) -> None:
    cutter = Cutter(tmp_path, Cutting(on_events=True))
    for packet in packets:
        cutter.reel.take(packet)
    cutter.reel.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_kept_for_a_pre_roll_does_not_grow(tmp_path: Path, packets: list[Packet]) -> None:
    cutter = Cutter(tmp_path, Cutting(on_events=True, pre_roll=2.0))
    for turn, packet in itertools.product(range(10), packets):
        shift = 20.0 * turn
        cutter.reel.take(Packet(packet.content, packet.pts + shift, packet.dts + shift, packet.keyframe))
        assert sum(map(len, cutter.reel._ring)) <= 3 * RATE + 1


def test_a_change_of_size_begins_another_clip(tmp_path: Path, packets: list[Packet]) -> None:
    encoder, cutter = Encoder(48, 96, float(RATE)), Cutter(tmp_path, Cutting())
    for packet in packets[:15]:
        cutter.reel.take(packet)
    cutter.reel.begin("h264")
    for number in range(15, 25):
        for packet in encoder.encode(numbered_picture(number, 96, 48), number * TICKS // RATE):
            cutter.reel.take(packet)
    for packet in encoder.flush():
        cutter.reel.take(packet)
    cutter.reel.close()
    assert cutter.numbers == [list(range(15)), list(range(15, 25))]


@pytest.mark.parametrize("late", [0, 3], ids=["encoded", "copied"])
@pytest.mark.parametrize(
    "cutting",
    [
        Cutting(segment_seconds=2.0),
        Cutting(on_events=True, pre_roll=2.0, post_roll=3.0, segment_seconds=2.0),
    ],
    ids=["always", "event"],
)
def test_the_boxes_of_a_frame_lie_beside_the_clip_that_shows_it(
    tmp_path: Path, packets: list[Packet], late: int, cutting: Cutting
) -> None:
    """late  frames by which notes come after packets: decoders hold some back"""
    cutter, finder = Cutter(tmp_path, cutting, sidecars=True), Finder(labels=LABELS)
    for number, packet in enumerate(packets[:150]):
        cutter.reel.take(packet)
        if number == 75:
            cutter.reel.trigger()
        if number >= late:
            frame = Frame(numbered_picture(number - late), number - late, packets[number - late].pts)
            cutter.reel.note(Note(frame.pts, frame, Detections.empty(), finder))
    cutter.reel.close()
    assert len(cutter.paths) >= 3
    for path, numbers in zip(cutter.paths, cutter.numbers):
        noted = [line["frame"] for line in lines_of(path.with_suffix(".jsonl")) if "frame" in line]
        last = path is cutter.paths[-1]  # its last notes never came
        assert noted == (numbers[: len(numbers) - late] if last and not cutting.on_events else numbers)
        assert Sidecar(path.with_suffix(".jsonl")).found_at(0.0) is not None


@pytest.mark.parametrize(
    "values",
    [{"pre_roll": -1.0}, {"pre_roll": 100.0}, {"post_roll": -1.0}, {"segment_seconds": 0.0},
     {"segment_bytes": 5}],
)  # fmt: skip
def test_a_way_of_cutting_that_cannot_be_meant_is_a_sentence(values: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        Cutting(**values)


def test_a_plan_without_choices_records_always_with_boxes() -> None:
    plan = RecordingPlan()
    assert plan.mode.value == "annotated" and not plan.cutting.on_events
