"""The boxes beside a recording: written line by line, read back, looked through and burnt in."""

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import main
from app.pipeline.batch import Batch, Job
from app.pipeline.choice import Choice
from app.recording import Recorder
from app.recording.lines import Lines
from app.recording.sidecar import FLOOR, Finder, Note, SidecarWriter, sidecar_path
from app.recording.sidecar_reading import RecordedEngine, Sidecar, find_sidecar, read_finder
from app.sources import open_source
from detector.errors import RecordingError
from detector.values import Detections, Frame, LabelMap
from tests.app.outputs import lines_of, pictures
from tests.app.test_clean_recording import sharpest
from tests.app.videos import numbered_picture, write_video
from tests.app.watching import LABELS, SquareFinder

FINDER = Finder(labels=LABELS, name="squares", sha256="ab" * 32, min_score=0.5, nms_iou=0.4)


def found(*boxes: tuple[float, float, float, float, float, int, int]) -> Detections:
    """From x1, y1, x2, y2, score, class id, track id; the best first."""
    table = np.array(boxes, np.float32).reshape(-1, 7)
    return Detections(
        table[:, :4].copy(),
        table[:, 4].copy(),
        table[:, 5].astype(np.int32),
        table[:, 6].astype(np.int32),
    )


def frame(number: int, pts: float) -> Frame:
    return Frame(numbered_picture(number), number, pts, source="porch")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two seconds at 25/s and what the square finder found, boxes of every score."""
    path, finder = tmp_path / "clip.mp4", SquareFinder()
    sidecar = SidecarWriter(path, 100.0)
    with Recorder(path, 96, 192, 25.0) as recorder:
        for number in range(50):
            seen = frame(number, 100.0 + number / 25)
            recorder.write(seen.pixels, seen.pts)
            (boxes,) = finder.detect([seen], nms_iou=0.9)
            sidecar.write(Note(seen.pts, seen, boxes, FINDER))
    sidecar.close()
    return path


def test_what_is_written_is_read_back_at_its_time(tmp_path: Path) -> None:
    writer = SidecarWriter(tmp_path / "clip.mp4", 50.0)
    boxes = found((1, 2, 30, 40, 0.9, 1, 7), (5, 6, 70, 80, 0.2, 0, -1))
    writer.write(Note(50.0, frame(0, 50.0), boxes, FINDER))
    writer.write(Note(50.04, frame(1, 50.04), found(), FINDER))
    writer.close()
    sidecar = Sidecar(tmp_path / "clip.jsonl")
    first, second = sidecar.at(0.0), sidecar.at(0.0404)
    assert first.boxes.tolist() == boxes.boxes.tolist()
    assert first.scores == pytest.approx([0.9, 0.2])
    assert first.class_ids.tolist() == [1, 0]
    assert first.track_ids is not None and first.track_ids.tolist() == [7, -1]
    assert len(second) == 0
    assert sidecar.finder == FINDER
    assert sidecar.found_at(0.6) is None and len(sidecar.at(0.6)) == 0


def test_a_line_says_what_detect_says_and_the_first_one_who_found_it(tmp_path: Path) -> None:
    writer = SidecarWriter(tmp_path / "clip.mp4", 0.0)
    boxes = found((1, 2, 30, 40, 0.9, 1, 7))
    writer.write(Note(0.0, frame(0, 0.0), boxes, FINDER))
    writer.close()
    with_tracks = Lines(tmp_path / "detect.jsonl", LABELS)
    with_tracks.write(frame(0, 0.0), boxes)
    with_tracks.close()
    header, line = lines_of(tmp_path / "clip.jsonl")
    assert [line] == lines_of(tmp_path / "detect.jsonl")
    assert header["model_sha256"] == "ab" * 32 and header["classes"] == ["square", "number"]
    assert (header["min_score"], header["nms_iou"]) == (0.5, 0.4)
    assert sidecar_path(tmp_path / "clip.mp4").stat().st_mode & 0o077 == 0


def test_what_is_below_the_floor_is_noise_and_left_out(tmp_path: Path) -> None:
    writer = SidecarWriter(tmp_path / "clip.mp4", 0.0)
    writer.write(Note(0.0, frame(0, 0.0), found((1, 2, 3, 4, FLOOR - 0.01, 0, -1)), FINDER))
    writer.close()
    assert lines_of(tmp_path / "clip.jsonl")[1]["detections"] == []


def test_another_model_has_its_own_names(tmp_path: Path) -> None:
    other = Finder(labels=LabelMap(("cat",)), name="cats")
    writer = SidecarWriter(tmp_path / "clip.mp4", 0.0)
    for pts, finder in ((0.0, FINDER), (0.1, other)):
        writer.write(Note(pts, frame(0, pts), found(), finder))
    writer.close()
    assert Sidecar(tmp_path / "clip.jsonl").finder.name == "cats"


def test_a_last_line_cut_short_by_a_power_cut_is_left_out(clip: Path) -> None:
    content = sidecar_path(clip).read_bytes()
    sidecar_path(clip).write_bytes(content[:-20])
    assert len(Sidecar(sidecar_path(clip))) == 49


@pytest.mark.parametrize("text", ["hello\n", "[]\n", '{"time": 1}\n', "\x00\n"])
def test_what_is_no_sidecar_is_a_sentence_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "clip.jsonl").write_text(text)
    with pytest.raises(RecordingError, match="line 1: is no line of boxes"):
        Sidecar(tmp_path / "clip.jsonl")


BOX = '{"box": [1, 2, 3, 4], "score": 0.5, "class": "square", "class_id": 0}'


def line_with(boxes: str, seconds: int = 1) -> str:
    return f'{{"time": {seconds}, "detections": [{boxes}]}}'


@pytest.mark.parametrize(
    "damaged",
    [
        "null",
        "7",
        '"sidecar"',
        "[" * 5000,
        '{"time": "x", "detections": []}',
        '{"time": NaN, "detections": []}',
        '{"time": true, "detections": []}',
        '{"time": null, "detections": []}',
        '{"time": 1, "detections": null}',
        '{"time": 1, "detections": 5}',
        '{"time": 1, "detections": {}}',
        '{"time": 1, "detections": [{}]}',
        '{"time": 1, "detections": [null]}',
        line_with(BOX.replace(", 4]", "]")),
        line_with(BOX.replace("4]", "4, 5]")),
        line_with(BOX.replace("4]", "1e99]")),
        line_with(BOX.replace("4]", "Infinity]")),
        line_with(BOX.replace("0.5", "null")),
        line_with(BOX.replace('_id": 0', '_id": -1')),
        line_with(BOX.replace('_id": 0', '_id": 99999999999')),
        line_with(BOX.replace('_id": 0', '_id": 0, "track_id": "a"')),
        '{"sidecar": 1, "classes": 5}',
        '{"sidecar": 1, "classes": "square"}',
        '{"sidecar": 1, "classes": [], "min_score": "a"}',
        '{"sidecar": 1, "classes": [], "min_score": null}',
        '{"sidecar": 1, "classes": [], "nms_iou": 7}',
    ],
)
def test_a_damaged_line_is_a_sentence_with_its_number(tmp_path: Path, damaged: str) -> None:
    whole = line_with(BOX) + "\n"
    (tmp_path / "clip.jsonl").write_text(whole + damaged + "\n" + whole)
    with pytest.raises(RecordingError, match=r"clip\.jsonl, line 2: is no line of boxes, or damaged"):
        Sidecar(tmp_path / "clip.jsonl")


def test_a_damaged_first_line_names_nobody(tmp_path: Path) -> None:
    (tmp_path / "clip.jsonl").write_text('{"sidecar": 1, "classes": 5}\n')
    with pytest.raises(RecordingError, match="line 1"):
        read_finder(tmp_path / "clip.jsonl")


def test_boxes_that_another_program_wrote_in_any_order_are_read_highest_score_first(tmp_path: Path) -> None:
    better = BOX.replace("0.5", "0.9")
    (tmp_path / "clip.jsonl").write_text(line_with(f"{BOX}, {better}", 0) + "\n")
    assert Sidecar(tmp_path / "clip.jsonl").at(0.0).scores == pytest.approx([0.9, 0.5])


def test_annotate_says_that_the_recording_itself_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = annotate(capsys, tmp_path / "nofile.mp4", "--record", tmp_path / "out.mp4")
    assert code == 1 and "nofile.mp4: there is no such file" in said


def test_the_next_appearance_is_that_of_another_object(tmp_path: Path) -> None:
    """Object 1 from 0.2 s, leaves at 0.6 s, is there again; object 2 joins at 1.0 s."""
    writer = SidecarWriter(tmp_path / "clip.mp4", 0.0)
    for number in range(20):
        boxes = []
        if number >= 2 and number not in (6, 7):
            boxes.append((1, 2, 30, 40, 0.9, 1, 1))
        if number >= 10:
            boxes.append((50, 2, 80, 40, 0.6, 1, 2))
        writer.write(Note(number / 10, frame(number, number / 10), found(*boxes), FINDER))
    writer.close()
    sidecar = Sidecar(tmp_path / "clip.jsonl")
    assert sidecar.appearances(min_score=0.5) == pytest.approx([0.2, 1.0])
    assert sidecar.appearances(min_score=0.8) == pytest.approx([0.2])
    assert sidecar.appearances(min_score=0.5, class_ids={0}).tolist() == []


def test_without_tracks_an_appearance_is_the_first_after_none(tmp_path: Path) -> None:
    writer = SidecarWriter(tmp_path / "clip.mp4", 0.0)
    for number in range(10):
        boxes = [(1, 2, 30, 40, 0.9, 1, -1)] if number in (0, 1, 4, 5, 9) else []
        writer.write(Note(number / 10, frame(number, number / 10), found(*boxes), FINDER))
    writer.close()
    sidecar = Sidecar(tmp_path / "clip.jsonl")
    assert sidecar.appearances(min_score=0.5) == pytest.approx([0.0, 0.4, 0.9])
    assert read_finder(tmp_path / "clip.jsonl") == FINDER


def test_a_recording_answers_as_the_detector_did(clip: Path) -> None:
    engine = RecordedEngine(Sidecar(sidecar_path(clip)))
    seen = [item for item in open_source(str(clip)) if isinstance(item, Frame)]
    (expected,) = SquareFinder().detect([frame(20, 0.0)], nms_iou=0.9)
    (answer,) = engine.detect([seen[20]])
    assert len(seen) == 50
    assert answer.boxes.tolist() == expected.boxes.tolist()
    assert engine.device == "boxes recorded with squares"


def annotate(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main.main(["annotate", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out + said.err


def changed(one: Any, other: Any) -> float:
    """Share of the pixels that differ visibly."""
    return float((np.abs(one.astype(int) - other).max(2) > 60).mean())


def test_annotate_draws_what_scores_enough_without_a_detector(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = list(pictures(clip))
    shares = []
    for score in (0.95, 0.8, 0.5, 0.2):
        out = tmp_path / f"{score}.mp4"
        code, said = annotate(capsys, clip, "--min-score", score, "--record", out)
        assert code == 0 and "50 frames" in said and "boxes recorded with squares" in said
        drawn = list(pictures(out))
        assert len(drawn) == 50
        shares.append(changed(drawn[25], plain[25]))
    assert shares[0] < 0.005 < shares[1] < shares[2] < shares[3]


def test_annotate_takes_the_lines_of_detect_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_video(tmp_path / "walk.mp4", 20)
    source, lines = open_source(str(tmp_path / "walk.mp4")), Lines(tmp_path / "boxes.jsonl", LABELS)
    Batch([Job(name="walk.mp4", source=source)], SquareFinder(), Choice(), sinks=[lines]).run()
    out = tmp_path / "out.mp4"
    code, said = annotate(
        capsys, tmp_path / "walk.mp4", "--lines", lines.path, "--record", out, "--classes", "square"
    )
    assert code == 0, said
    assert changed(list(pictures(out))[10], list(pictures(tmp_path / "walk.mp4"))[10]) > 0.005


def test_annotate_can_blur_what_it_shows(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    code, _ = annotate(capsys, clip, "--min-score", 1, "--blur", "number", "--record", out)
    assert code == 0
    drawn, plain = list(pictures(out))[25], list(pictures(clip))[25]
    assert drawn[:32].std() < plain[:32].std() / 1.5  # the cells of the number
    assert changed(drawn[45:], plain[45:]) < 0.005


def test_annotate_blurs_all_of_the_frames_that_no_line_tells_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "walk.mp4", 400)
    lines = Lines(tmp_path / "walk.jsonl", LABELS)
    for number in range(10):
        lines.write(frame(number, number / 25), found((60, 10, 130, 30, 0.9, 1, -1)))
    lines.close()
    out = tmp_path / "out.mp4"
    code, said = annotate(capsys, tmp_path / "walk.mp4", "--blur", "number", "--record", out)
    assert code == 0 and "400 frames" in said
    drawn, plain = list(pictures(out)), list(pictures(tmp_path / "walk.mp4"))
    assert len(drawn) == 400
    for number in range(40, 400, 40):
        assert sharpest(drawn[number]) < sharpest(plain[number]) / 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--blur", "squar"], "did you mean 'square'?"),
        (["--classes", "squar"], "did you mean 'square'?"),
        (["--lines", "missing.jsonl"], "missing.jsonl is not beside"),
    ],
)
def test_annotate_refuses_in_a_sentence(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    code, said = annotate(capsys, clip, *options, "--record", tmp_path / "out.mp4")
    assert code in (1, 2) and sentence in said and not (tmp_path / "out.mp4").exists()


def test_a_sidecar_is_found_only_where_it_lies(clip: Path, tmp_path: Path) -> None:
    assert find_sidecar(clip) == tmp_path / "clip.jsonl"
    assert find_sidecar(tmp_path / "other.mp4") is None
    with av.open(str(clip)) as container:
        assert json.loads(sidecar_path(clip).read_text().splitlines()[1])["width"] == (
            container.streams.video[0].width
        )
