"""`record`: real cameras, a real process, real signals."""

import argparse
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import pytest

import main
from app.commands.amounts import read_size, read_time, read_time_or_size
from app.commands.record import add_arguments
from app.commands.record_options import read_options
from app.events import Regions
from app.events.live_events import LiveEvents
from app.keeping import stems_of
from app.recording.plan import Mode, RecordingPlan
from app.recording.reel import Cutting, Reel
from app.recording.sidecar_reading import Sidecar
from app.sources import Source, open_source
from detector.errors import OptionError
from detector.values import Detections, Frame
from tests.app.outputs import names
from tests.app.rtsp import load_server, server_process
from tests.app.test_clips import numbers_in
from tests.app.test_decoder import unruly
from tests.app.test_recording import ROOT
from tests.app.videos import eventually, read_number, write_video
from tests.app.watching import LABELS, SquareFinder, Watching


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("camera") / "camera.mp4"
    write_video(path, 500, key_every=25)
    return path


@contextmanager
def recorder(*arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """`record` in a process of its own."""
    command = [sys.executable, "main.py", "record", *map(str, arguments)]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def ended(process: "subprocess.Popen[str]", number: signal.Signals) -> tuple[int, float, str, str]:
    """Exit code, seconds that took, and what was said, after a signal."""
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    return process.returncode, time.monotonic() - began, out, err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_like_closing_with_files_that_play_and_nobody_left_behind(
    shared: Path, camera: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    folder = tmp_path / "out"
    with (
        server_process(shared, camera) as (one, _),
        server_process(shared, camera) as (two, _),
        recorder(one, two, "--folder", folder, "--mode", "clean", "--segments", "2s") as process,
    ):
        assert eventually(lambda: len(list(folder.glob("*-1_*.mp4"))) >= 2, 40), process.poll()
        assert eventually(lambda: len(list(folder.glob("*-2_*.mp4"))) >= 2, 40)
        children = _children(process.pid)
        returned, seconds, out, err = ended(process, number)
    assert (returned, seconds < 4.0) == (code, True), err
    assert "Recording 2 sources into" in err
    assert all(name.endswith(".mp4") for name in names(folder)), names(folder)
    assert len(out.splitlines()) == len(names(folder))
    for stem in ("127-0-0-1-1_", "127-0-0-1-2_"):
        numbers = [each for path in sorted(folder.glob(f"{stem}*")) for each in numbers_in(path)[1]]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "none is lost in between"
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in listed.read_text().split()] if listed.exists() else []


def test_what_a_killed_recorder_left_is_finished_by_the_next(
    shared: Path, camera: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    with server_process(shared, camera) as (url, _):
        arguments = (url, "--folder", folder, "--mode", "clean")
        with recorder(*arguments) as process:
            parts = lambda: list(folder.glob("*.part.mkv"))  # noqa: E731
            assert eventually(lambda: parts() and parts()[0].stat().st_size > 20_000, 40)
            process.kill()
            process.wait()
        (part,) = parts()
        with av.open(str(part)) as container:
            left = sum(1 for packet in container.demux(video=0) if packet.size)
        with recorder(*arguments) as process:
            target = part.with_name(part.name.removesuffix(".part.mkv") + ".mp4")
            assert eventually(target.exists, 40)
            _, _, _, err = ended(process, signal.SIGTERM)
    assert "was interrupted; its" in err
    assert len(numbers_in(target)[1]) == left
    assert names(folder) == sorted(path.name for path in folder.glob("*.mp4"))


def test_a_quota_keeps_the_newest_recordings(shared: Path, camera: Path, tmp_path: Path) -> None:
    folder, second = tmp_path / "out", camera.stat().st_size / 20
    quota = ("--segments", "1s", "--quota", f"{4 * second / 1000:.0f}kb")
    with (
        server_process(shared, camera) as (url, _),
        recorder(url, "--folder", folder, "--mode", "clean", *quota) as process,
    ):
        assert process.stdout is not None
        written = [process.stdout.readline().split()[0] for _ in range(8)]
        ended(process, signal.SIGTERM)
    assert not Path(written[0]).exists() and Path(written[-1]).exists()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 7 * second


def run(capfd: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main.main(["record", *map(str, arguments)])
    said = capfd.readouterr()
    return code, said.out, said.err


def test_files_are_recorded_to_their_end(
    camera: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "walk.mp4", 40)
    code, out, err = run(capfd, tmp_path / "walk.mp4", "--folder", tmp_path / "out", "--mode", "clean")
    assert code == 0, err
    assert out.split()[1:] == ["1.6", "s", "40", "frames"]
    (video,) = (tmp_path / "out").glob("walk_*.mp4")
    assert numbers_in(video)[1] == list(range(40))


def test_opencv_may_read_what_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "walk.mp4", 40)
    readers = []

    def watched(address: str, **options: Any) -> Source:
        readers.append(options)
        return open_source(address, **options)

    monkeypatch.setattr("app.commands.record_run.open_source", watched)
    arguments = ("--folder", tmp_path / "out", "--mode", "clean", "--capture", "opencv")
    code, out, err = run(capfd, tmp_path / "walk.mp4", *arguments)
    assert code == 0, err
    assert readers == [{"capture": "opencv"}]
    assert out.split()[1:] == ["1.6", "s", "40", "frames"]


def test_a_file_that_cannot_be_decoded_to_its_end_is_an_error_and_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("app.commands.record_run.open_source", lambda *_, **__: unruly(tmp_path, "crash"))
    began = time.monotonic()
    arguments = ("--folder", tmp_path / "out", "--mode", "clean", "--for", "60s")
    code, out, err = run(capfd, tmp_path / "unruly.mp4", *arguments)
    assert code == 1 and time.monotonic() - began < 40
    assert "error: unruly.mp4: the decoder crashes at 4.00 s" in err
    assert "5 frames" in out


def test_without_a_detector_nobody_waits_for_events(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    detector = ("--engine", "openvino", "--device", "gpu")  # which OpenVINO does not have
    arguments = ("--folder", tmp_path / "out", "--for", "60s", *detector)
    code, _, err = run(capfd, "rtsp://127.0.0.1:1/x", "--on-events", *arguments)
    assert code == 1 and time.monotonic() - began < 40
    assert "error: The model cannot be used: The OpenVINO engine runs on the processor only" in err


def test_pictures_that_leave_no_clip_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Reel, "take", lambda self, packet: None)
    write_video(tmp_path / "walk.mp4", 40)
    code, out, err = run(capfd, tmp_path / "walk.mp4", "--folder", tmp_path / "out", "--mode", "clean")
    assert code == 1 and out == ""
    assert "error: Pictures of walk.mp4 came, but none of them could be recorded." in err


def test_the_boxes_of_a_real_model_lie_beside_the_video(
    coco_home: Path, walk: Path, tmp_path: Path, monkeypatch: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SSD_STUDIO_HOME", str(coco_home))
    code, _, err = run(
        capfd, walk, "--folder", tmp_path / "out", "--model", "coco", "--for", "12s", "--engine", "openvino"
    )
    assert code == 0, err
    (lines,) = (tmp_path / "out").glob("*.jsonl")
    sidecar = Sidecar(lines)
    assert sidecar.finder.name == "coco" and len(sidecar.finder.sha256) == 64
    assert sidecar.finder.labels[0] == "person" and len(sidecar) > 0


def test_what_happens_in_a_zone_is_recorded_with_what_came_before(tmp_path: Path) -> None:
    """As `record --zones --on-events` has it: the events room tells, the recorder keeps."""
    write_video(tmp_path / "walk.mp4", 200, key_every=25)
    zones = Regions.from_json({"zones": [{"name": "all", "corners": [[0, 0], [1, 0], [1, 1], [0, 1]]}]})
    plan = RecordingPlan(
        mode=Mode.CLEAN, on_sight=False, cutting=Cutting(on_events=True, pre_roll=1.0, post_roll=1.0)
    )

    class LateFinder(SquareFinder):
        def _look(self, frame: Frame, nms_iou: float) -> Detections:
            found = super()._look(frame, nms_iou)[:1]
            return found if 75 <= read_number(frame.pixels) < 100 else found[:0]

    with Watching(open_source(str(tmp_path / "walk.mp4")), open_engine=LateFinder) as watching:
        events = LiveEvents(lambda event, picture: None, happened=watching.pipeline.trigger_recording)
        events.follow(zones, LABELS)
        watching.pipeline.listen(events.offer)
        watching.pipeline.start_recording(tmp_path / "out.mp4", plan=plan)
        view = watching.until(lambda view: view.recording and view.recording.files, 30)
        events.close()
    numbers = numbers_in(view.recording.files[0].path)[1]
    assert 25 <= numbers[0] <= 70 and numbers[-1] >= 90


def test_a_camera_that_is_not_there_is_told_and_the_others_go_on(
    shared: Path, camera: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server = load_server(shared)
    with server.RtspServer(camera) as rtsp:
        code, out, err = run(
            capfd, tmp_path / "missing.mp4", rtsp.url, "--folder", tmp_path / "out", "--mode", "clean",
            "--for", "6s",
        )  # fmt: skip
    assert code == 1
    assert "error: " in err and "missing.mp4: there is no such file" in err
    assert "frames" in out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--mode", "both"], "--mode cannot be 'both'; it is one of annotated, clean, sidecar"),
        (["--segments", "10"], "--segments '10' cannot be read; write 90s, 10m, 2h or 7d"),
        (["--quota", "many"], "--quota 'many' cannot be read; write 500MB or 50GB"),
        (["--pre-roll", "90s"], "A pre-roll lasts 0 to 60 seconds"),
        (["--codec", "h265"], "There is no codec 'h265'"),
        (["--min-score", "3"], "--min-score cannot be 3"),
        (["--capture", "vlc"], "--capture cannot be 'vlc'"),
        (["--metrics", "70000"], "--metrics 70000 cannot be had"),
    ],
)
def test_what_cannot_be_meant_is_answered_in_a_sentence_and_nothing_is_begun(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    code, _, err = run(capfd, "rtsp://127.0.0.1:1/x", "--folder", tmp_path / "out", *options)
    assert code == 2 and sentence in err
    assert not (tmp_path / "out").exists()


def test_only_in_a_folder_of_its_own_does_it_delete_unasked() -> None:
    def age(*arguments: str) -> float | None:
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        return read_options(parser.parse_args(["0", *arguments])).plan.quota.age

    assert age() == 7 * 86400
    assert age("--keep", "ever") is None and age("--folder", "mine") is None
    assert age("--folder", "mine", "--keep", "2d") == 2 * 86400


@pytest.mark.parametrize(
    ("text", "size"), [("50GB", 50_000_000_000), ("500 mb", 500_000_000), ("1.5T", 1_500_000_000_000)]
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert read_size(text, option="--quota") == size


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("7d", 604800)])
def test_times_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert read_time(text, option="--keep") == seconds


def test_minutes_and_megabytes_are_told_apart() -> None:
    assert read_time_or_size("10m", option="--segments") == (600, None)
    assert read_time_or_size("10MB", option="--segments") == (None, 10_000_000)
    with pytest.raises(OptionError):
        read_time_or_size("0s", option="--segments")


def test_two_cameras_behind_one_host_get_recordings_of_different_names() -> None:
    assert stems_of(["rtsp://nvr/1", "rtsp://nvr/2", "porch.mp4"]) == ["nvr-1", "nvr-2", "porch"]
