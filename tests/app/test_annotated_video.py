"""What `detect --record` writes: whatever the size of the pictures, whatever happens to the disk."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import pytest

from app.outputs import jobs_for, recordings_of
from app.pipeline import Choice
from app.pipeline.batch import Batch
from app.pipeline.recorder.annotated_video import AnnotatedVideo
from app.recording.disk import DiskLimits
from app.recording.recovery import recover
from app.sources import Source
from detector.errors import RecordingError
from detector.values import Detections, Frame
from tests.app.feeding import disk_image, frozen, tmpfs
from tests.app.outputs import count_and_seconds, names, pictures
from tests.app.videos import eventually, numbered_picture, write_video
from tests.app.watching import LABELS, SquareFinder

SMALL = DiskLimits(refuse=4_000_000, warn=9_000_000, stop=2_500_000)
ANY = DiskLimits(refuse=1, warn=1, stop=0)


class Unhurried(SquareFinder):
    """Looks at 50 frames a second at most, as a detector does."""

    def _look(self, frame: Frame, nms_iou: float) -> Detections:
        time.sleep(0.02)
        return Detections.empty()


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds that take 25 kB a picture, whoever encodes them."""
    path, random = tmp_path_factory.mktemp("noise") / "noise.mp4", np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.options = {"preset": "ultrafast", "g": "25", "crf": "23"}
        for _ in range(500):
            picture = random.integers(0, 255, (240, 320, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode(None))
    return path


def recorded(
    address: str, path: Path, *, limits: DiskLimits = ANY, **options: Any
) -> tuple[list[str], Batch]:
    """What is told of a recording that is to come, and the batch that makes it."""
    told: list[str] = []
    jobs = jobs_for(
        [address], start=0.0, record=path, labels=LABELS, force=False, limits=limits, tell=told.append
    )
    return told, Batch(jobs, options.pop("engine", None) or SquareFinder(), Choice(), **options)


def test_a_camera_that_changes_its_size_gets_another_file(rtsp: ModuleType, tmp_path: Path) -> None:
    write_video(tmp_path / "camera.mp4", 50, key_every=25)
    write_video(tmp_path / "other.mp4", 50, size=(96, 48), key_every=25)
    with rtsp.RtspServer(tmp_path / "camera.mp4", size_change=tmp_path / "other.mp4") as server:
        _, batch = recorded(server.url, tmp_path / "out.mp4", max_frames=80)
        (outcome,) = batch.run()
    (recording,) = recordings_of([outcome.job])
    assert [result.path.name for result in recording.results] == ["out.mp4", "out-2.mp4"]
    assert sum(result.frames for result in recording.results) == 80
    sizes = [{picture.shape for picture in pictures(result.path)} for result in recording.results]
    assert sizes == [{(96, 192, 3)}, {(48, 96, 3)}]


def test_a_file_that_changes_its_size_gives_two_which_are_both_told(
    detect: Any, shared: Path, tmp_path: Path
) -> None:
    code, out, _ = detect(shared / "video/broken/size-change.avi", "--record", tmp_path / "o.mp4")
    assert code == 0 and "o.mp4 (10 frames, 0.4 s)" in out and "o-2.mp4 (10 frames, 0.4 s)" in out


def test_no_second_part_takes_the_name_of_another_sources_recording(shared: Path, tmp_path: Path) -> None:
    shutil.copy(shared / "video/broken/size-change.avi", tmp_path / "a.avi")
    write_video(tmp_path / "a-2.mp4", 5)
    addresses = [str(tmp_path / "a.avi"), str(tmp_path / "a-2.mp4")]
    jobs = jobs_for(addresses, start=0.0, record=tmp_path / "out", labels=LABELS, force=False)
    Batch(jobs, Unhurried(), Choice()).run()
    assert names(tmp_path / "out") == ["a-2.mp4", "a-3.mp4", "a.mp4"]
    assert count_and_seconds(tmp_path / "out/a-2.mp4")[0] == 5


@pytest.mark.parametrize("live", [True, False])
def test_a_disk_that_fills_up_is_told_and_ends_it_in_order_with_a_part_that_plays(
    rtsp: ModuleType, noise: Path, tmp_path: Path, live: bool
) -> None:
    with ExitStack() as stack:
        address = stack.enter_context(rtsp.RtspServer(noise)).url if live else str(noise)
        disk = stack.enter_context(tmpfs(tmp_path / "disk", "10m"))
        frames = []
        told, batch = recorded(
            address, disk / "out.mp4", limits=SMALL, engine=Unhurried(),
            report=lambda progress: frames.append(progress.frames),
        )  # fmt: skip
        with pytest.raises(RecordingError, match=r"Recording has ended: only \d.* are free on the disk"):
            batch.run()
        assert any("Only" in warning and "are free" in warning for warning in told)
        assert names(disk) == ["out.part.mkv"], "there is no room for a second copy, so the part file stays"
        assert sum(1 for _ in pictures(disk / "out.part.mkv")) >= frames[-1] - 3
        shutil.move(disk / "out.part.mkv", tmp_path / "out.part.mkv")  # somebody has made room
    assert recover(tmp_path / "out.part.mkv").frames >= frames[-1] - 3


def test_on_a_full_disk_nothing_is_begun(walk: Path, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "3m") as disk:
        with pytest.raises(RecordingError, match=r"Only 3.\d* MB are free .* begins with 4 MB; make room"):
            recorded(str(walk), disk / "out.mp4", limits=SMALL)
        assert names(disk) == []


@contextmanager
def fed(recording: AnnotatedVideo) -> Iterator[list[RecordingError]]:
    """A recording that gets 25 frames a second until the block ends or it fails; gives the failure."""
    enough, failures = threading.Event(), list[RecordingError]()

    def feed() -> None:
        number = 0
        try:
            while not enough.wait(0.04):
                recording.write(Frame(numbered_picture(number), number, number / 25), Detections.empty())
                number += 1
            recording.close()
        except RecordingError as error:
            failures.append(error)

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield failures
    finally:
        enough.set()
        thread.join(20)
        assert not thread.is_alive()


def porch(path: Path, **options: Any) -> AnnotatedVideo:
    """A recording of a live source."""
    source = Source("porch")
    source.live, source.rate = True, 25.0
    return AnnotatedVideo(path, source, LABELS, limits=ANY, **options)


def test_a_power_cut_costs_five_seconds_at_most(tmp_path: Path) -> None:
    """The image of a disk is what is on it; what the system still holds in memory is not in it."""
    with disk_image(tmp_path / "image", tmp_path / "disk") as disk, fed(porch(disk / "out.mp4")):
        part = disk / "out.part.mkv"
        assert eventually(part.exists)
        time.sleep(8.0)  # of writing
        written = sum(1 for _ in pictures(part))
        shutil.copy(tmp_path / "image", tmp_path / "cut")
    with disk_image(tmp_path / "cut", tmp_path / "after") as after:
        assert sum(1 for _ in pictures(after / "out.part.mkv")) >= written - 5 * 25 > 20


def test_a_disk_that_does_not_answer_is_told_and_holds_up_no_end(tmp_path: Path) -> None:
    told: list[str] = []
    with disk_image(tmp_path / "image", tmp_path / "disk") as disk:
        recording = porch(disk / "out.mp4", tell=told.append)
        with fed(recording) as failures:
            assert eventually((disk / "out.part.mkv").exists)
            with frozen(disk):
                assert eventually(lambda: "Nothing of out.mp4 has reached the disk for" in (told or [""])[-1])
                began = time.monotonic()
                recording.hurry()
                assert eventually(lambda: bool(failures), 10)
                assert time.monotonic() - began < 4.0
    assert "out.mp4 could not be finished in time; what is there plays" in str(failures[0])
