"""`detect` as a person or a server runs it, with a real model on real videos."""

import json
import os
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import main
from tests.app.outputs import count_and_seconds, lines_of, names, pictures
from tests.app.rtsp import load_server
from tests.app.videos import numbered_picture, write_video
from tests.conftest import ROOT


def test_a_video_becomes_lines_and_a_recording_with_the_person_boxed(
    detect: Any, walk: Path, tmp_path: Path
) -> None:
    code, out, err = detect(
        walk, "--start", 8, "--max-frames", 40, "--record", tmp_path / "o.mp4", "--json", tmp_path / "o.jsonl"
    )
    lines = lines_of(tmp_path / "o.jsonl")
    assert (code, err) == (0, "")
    assert out.startswith("40 frames in ")
    assert "person" in out
    assert "o.mp4 (40 frames, 4.0 s)" in out
    assert "o.jsonl (40 lines)" in out
    assert [line["frame"] for line in lines] == list(range(40))
    assert [line["time"] for line in lines] == pytest.approx([8 + number / 10 for number in range(40)])
    assert {(line["source"], line["width"], line["height"]) for line in lines} == {(walk.name, 768, 432)}
    assert list(lines[0]) == ["source", "frame", "time", "width", "height", "detections"]
    assert count_and_seconds(tmp_path / "o.mp4") == (40, pytest.approx(4.0))
    boxed = [(line["frame"], found) for line in lines for found in line["detections"]]
    persons = [(number, found) for number, found in boxed if found["class"] == "person"]
    assert len(persons) >= 20
    recorded, plain = list(pictures(tmp_path / "o.mp4")), list(islice(pictures(walk), 80, 120))
    for number, found in persons:
        assert list(found) == ["box", "score", "class", "class_id"]
        assert found["class_id"] == 0
        assert 0.5 <= found["score"] <= 1
        x1, y1, x2, y2 = found["box"]
        assert 0 <= x1 < x2 <= 768
        assert 0 <= y1 < y2 <= 432
        edge = (round(y1) + round(y2)) // 2, slice(round(x1), round(x1) + 4)
        assert np.abs(recorded[number][edge].astype(int) - plain[number][edge]).max() > 50, "its line"


def test_a_clip_that_declares_too_many_frames_is_recorded_as_it_decodes(
    detect: Any, shared: Path, tmp_path: Path
) -> None:
    clip = shared / "video" / "person-bicycle-car-detection.mp4"
    code, _, _ = detect(clip, "--start", 30, "--record", tmp_path / "o.mp4", "--json", tmp_path / "o.jsonl")
    count, seconds = count_and_seconds(tmp_path / "o.mp4")
    assert (code, count) == (0, len(lines_of(tmp_path / "o.jsonl")))
    assert count == 459 - 30 * 12
    assert seconds == pytest.approx(count / 12, abs=1 / 12)


@pytest.mark.parametrize(
    ("name", "size", "count", "seconds"),
    [
        ("odd-size-321x241.mp4", (242, 322), 25, 1.0),
        ("rotated-90.mp4", (320, 180), 50, 2.0),
        ("variable-frame-rate.mp4", (180, 320), 30, 6.0),
        ("b-frames.mp4", (180, 320), 50, 2.0),
        ("one-frame.mp4", (180, 320), 1, 0.04),
    ],
)
def test_awkward_files_are_recorded_in_their_size_and_duration(
    detect: Any, shared: Path, tmp_path: Path, name: str, size: tuple[int, int], count: int, seconds: float
) -> None:
    code, _, _ = detect(
        shared / "video/broken" / name, "--record", tmp_path / "o.mp4", "--json", tmp_path / "o.jsonl"
    )
    assert code == 0
    recorded = count_and_seconds(tmp_path / "o.mp4")
    assert recorded == (count, pytest.approx(seconds, abs=0.25 if "variable" in name else 0.04))
    assert next(pictures(tmp_path / "o.mp4")).shape[:2] == size
    (line, *_) = lines_of(tmp_path / "o.jsonl")
    assert (line["height"], line["width"]) == ((241, 321) if "odd" in name else size)


def test_a_folder_with_a_broken_file_gives_the_others_and_says_which_failed(
    detect: Any, shared: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    write_video(folder / "10.mp4", 6)
    write_video(folder / "sub" / "clip.avi", 4)
    cv2.imwrite(str(folder / "2.png"), numbered_picture(7))
    (folder / "1.mp4").write_text("not a video")
    code, out, err = detect(folder, "--record", tmp_path / "out", "--json", tmp_path / "o.jsonl")
    assert code == 1
    assert err == "error: 1.mp4: is not a video, or too damaged to be read\n"
    assert out.startswith("11 frames of 4 sources in ")
    assert names(tmp_path / "out") == ["10.mp4", "2.png", "sub/clip.mp4"]
    found = [(line["source"], line["frame"]) for line in lines_of(tmp_path / "o.jsonl")]
    assert found == [
        ("2.png", 0), *(("10.mp4", number) for number in range(6)),
        *(("sub/clip.avi", number) for number in range(4)),
    ]  # fmt: skip


def test_a_picture_gives_a_picture(detect: Any, walk: Path, tmp_path: Path) -> None:
    picture = tmp_path / "walk.png"
    capture = cv2.VideoCapture(str(walk))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 100)
    cv2.imwrite(str(picture), capture.read()[1])
    code, out, _ = detect(picture, "--record", tmp_path / "boxes.jpg", "--json", "-")
    (line,) = out.splitlines()
    assert code == 0
    assert "person" in [found["class"] for found in json.loads(line)["detections"]]
    drawn, plain = cv2.imread(str(tmp_path / "boxes.jpg")), cv2.imread(str(picture))
    assert drawn.shape == plain.shape
    assert np.abs(drawn.astype(int) - plain).max() > 100
    assert (tmp_path / "boxes.jpg").stat().st_mode & 0o777 == 0o600


def test_lines_on_the_standard_output_are_alone_there(detect: Any, walk: Path) -> None:
    code, out, err = detect(walk, "--max-frames", 3, "--json", "-")
    assert code == 0
    assert [json.loads(line)["frame"] for line in out.splitlines()] == [0, 1, 2]
    assert err.startswith("3 frames in ")


def test_quiet_says_nothing(detect: Any, walk: Path) -> None:
    assert detect(walk, "--max-frames", 3, "--quiet") == (0, "", "")


def test_classes_scores_and_numbers_are_limited_as_asked(detect: Any, walk: Path) -> None:
    def found(*options: object) -> list[list[dict[str, Any]]]:
        _, out, _ = detect(walk, "--start", 10, "--max-frames", 5, "--json", "-", *options)
        return [json.loads(line)["detections"] for line in out.splitlines()]

    everything = found("--min-score", 0.1)
    assert len({item["class"] for items in everything for item in items}) > 1
    assert max(map(len, everything)) > 2
    persons = found("--min-score", 0.1, "--classes", "person, tv", "--max-detections", 2)
    assert persons == [
        [item for item in items if item["class"] in ("person", "tv")][:2] for items in everything
    ]
    assert found("--min-score", 0.6) == [
        [item for item in items if item["score"] >= 0.6] for items in everything
    ]
    assert found("--min-score", 0.1, "--nms-iou", 1) != everything


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--start", "-1"], "A start of -1 s cannot be; give 0 or more."),
        (["--start", "nan"], "A start of nan s cannot be; give 0 or more."),
        (["--start", "inf"], "A start of inf s cannot be; give 0 or more."),
        (["--classes", "persn"], "The model has no class 'persn'; did you mean 'person'?"),
        (["--precision", "bfloat"], "--precision cannot be 'bfloat'; did you mean 'bfloat16'?"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(
    detect: Any, walk: Path, options: list[str], sentence: str
) -> None:
    code, out, err = detect(walk, *options)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {sentence}")


@pytest.mark.parametrize(
    ("command", "options", "sentence"),
    [
        ("detect", ["--min-score", "2"], "--min-score: '2' is not a number from 0 to 1"),
        ("detect", ["--nms-iou", "-0.1"], "--nms-iou: '-0.1' is not a number from 0 to 1"),
        ("detect", ["--batch", "0"], "--batch: '0' is not a whole number of 1 or more"),
        ("detect", ["--max-frames", "0"], "--max-frames: '0' is not a whole number of 1 or more"),
        ("annotate", ["--min-score", "nan"], "--min-score: 'nan' is not a number from 0 to 1"),
        ("explain", ["--min-score", "7"], "--min-score: '7' is not a number from 0 to 1"),
        ("explain", ["--box", "0"], "--box: '0' is not a whole number of 1 or more"),
    ],
)
def test_a_number_that_cannot_be_meant_is_refused(
    command: str, options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main.main([command, "walk.mp4", *options])
    assert end.value.code == 2
    assert sentence in capsys.readouterr().err


def test_an_unknown_model_is_answered_with_the_nearest(
    coco_home: Path, walk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SSD_STUDIO_HOME", str(coco_home))
    assert main.main(["detect", str(walk), "--model", "cocoa"]) == 1
    assert "did you mean 'coco'?" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--record", "--json"])
def test_what_is_there_is_kept_unless_forced(detect: Any, walk: Path, tmp_path: Path, option: str) -> None:
    target = tmp_path / "there.mp4"
    target.write_text("mine")
    code, _, err = detect(walk, "--max-frames", 2, option, target)
    assert (code, err.count("--force"), target.read_text()) == (1, 1, "mine")
    code, _, _ = detect(walk, "--max-frames", 2, option, target, "--force")
    assert code == 0
    assert target.read_bytes() != b"mine"


def test_outputs_that_cannot_be_meant_are_refused_before_anything_is_read(
    detect: Any, walk: Path, shared: Path, tmp_path: Path
) -> None:
    own, picture = tmp_path / "own.mp4", tmp_path / "p.png"
    shutil.copy(walk, own)
    cv2.imwrite(str(picture), numbered_picture(1))
    (tmp_path / "a").mkdir()
    (tmp_path / "empty").mkdir()
    shutil.copy(walk, tmp_path / "a" / "own.mp4")
    before = names(tmp_path)
    for code, sentence, *arguments in [
        (2, "names one file for 2 sources; name a folder", walk, own, "--record", tmp_path / "o.mp4"),
        (2, "would replace its own source", own, "--record", own, "--force"),
        (2, "would replace its own source", tmp_path / "a", "--record", tmp_path / "a", "--force"),
        (2, "2 sources would be written to", own, tmp_path / "a" / "own.mp4", "--record", tmp_path / "o"),
        (1, "name it o.mp4, not o.avi", walk, "--record", tmp_path / "o.avi"),
        (1, "name it o.jpg", picture, "--record", tmp_path / "o.mp4"),
        (1, "missing does not exist; make it first", walk, "--record", tmp_path / "missing" / "o.mp4"),
        (1, "does not exist; make it first", walk, "--json", tmp_path / "missing" / "o.jsonl"),
        (1, "is a folder; give the lines a file name", walk, "--json", tmp_path),
        (2, "own.mp4 would replace a source", own, "--json", own, "--force"),
        (2, "would replace a source", tmp_path / "a", "--json", tmp_path / "a" / "own.mp4", "--force"),
        (2, "would both write", walk, "--json", tmp_path / "o.mp4", "--record", tmp_path / "o.mp4"),
        (1, "cannot be looked for (file name too long)", "x" * 300 + ".mp4"),
        (1, "there is no such file; check the name", "~nobody-of-this-name/o.mp4"),
        (2, "An empty source cannot be opened", ""),
        (1, "holds no pictures and no videos", tmp_path / "empty"),
        (1, "there is no such file; check the name", tmp_path / "nothing.mp4"),
        (2, "goes on until it is stopped; give it alone", walk, "0"),
        (2, "has no beginning to start from", "0", "--start", "3"),
    ]:
        found, out, err = detect(*arguments)
        assert (found, out) == (code, ""), err
        assert err.startswith("error: ")
        assert sentence in err
        assert names(tmp_path) == before


def test_a_device_or_pipe_is_written_to_and_never_replaced(detect: Any, walk: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "lines"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    code, _, _ = detect(walk, "--max-frames", 3, "--json", fifo, "--force")
    assert code == 0
    assert os.read(reader, 65536).count(b"\n") == 3
    os.close(reader)
    assert fifo.is_fifo()


def test_what_may_not_be_read_is_said_so(coco_home: Path, walk: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    command = [sys.executable, "main.py", "detect", "--model", "coco"]
    if os.geteuid() == 0:  # root reads everything, unless it gives that right away
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv where tests run as root")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", *command]
    for words, *arguments in [
        ("closed: may not be read; check its permissions", closed),
        ("clip.mp4: cannot be looked for (permission denied); check its name and rights",
         closed / "clip.mp4"),
        ("o.mp4: may not be used; check its permissions and those of its folder",
         walk, "--record", closed / "o.mp4"),
        ("o.jsonl: may not be used; check its permissions and those of its folder",
         walk, "--json", closed / "o.jsonl"),
    ]:  # fmt: skip
        said = subprocess.run(
            [*command, *map(str, arguments)],
            cwd=ROOT,
            env=os.environ | {"SSD_STUDIO_HOME": str(coco_home)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert said.returncode == 1
        assert said.stderr.startswith("error: ") and words in said.stderr
        assert len(said.stderr.splitlines()) == 1


def test_a_pipe_is_refused_as_a_source_since_nothing_could_end_the_wait(detect: Any, tmp_path: Path) -> None:
    for name in ("pipe.mp4", "pipe.png"):
        os.mkfifo(tmp_path / name)
        code, _, err = detect(tmp_path / name)
        assert code == 1
        assert err.endswith("is a pipe or a device; save what it gives as a file first\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_sentence(detect: Any, walk: Path) -> None:
    code, out, err = detect(walk, "--max-frames", 2, "--json", "/dev/full")
    assert (code, out) == (1, "")
    assert err == (
        "error: Writing /dev/full failed (no space left on device). Make room or choose another folder.\n"
    )


def test_an_address_as_desktops_write_it_is_a_file(detect: Any, walk: Path, tmp_path: Path) -> None:
    odd = tmp_path / "a walk ü.mp4"
    shutil.copy(walk, odd)
    code, _, err = detect(odd.as_uri(), "--max-frames", 1, "--json", tmp_path / "o.jsonl")
    assert (code, err) == (0, "")
    assert [line["source"] for line in lines_of(tmp_path / "o.jsonl")] == [odd.name]


def test_a_start_beyond_all_counting_is_said_to_be_beyond_the_end(
    detect: Any, walk: Path, tmp_path: Path
) -> None:
    code, _, err = detect(walk, "--start", "1e300", "--json", tmp_path / "o.jsonl")
    assert code == 1 and "ends before 1e+300 s; begin earlier" in err
    assert not (tmp_path / "o.jsonl").exists()


def test_files_of_the_same_name_are_told_apart_in_the_lines(detect: Any, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "p.png"), numbered_picture(1))
    _, out, _ = detect(tmp_path / "a" / "p.png", tmp_path / "b" / "p.png", "--json", "-")
    assert [json.loads(line)["source"] for line in out.splitlines()] == [
        f"{tmp_path}/a/p.png", f"{tmp_path}/b/p.png"
    ]  # fmt: skip


def test_a_stream_is_watched_until_enough_without_its_password_anywhere(
    detect: Any, shared: Path, walk: Path, tmp_path: Path
) -> None:
    with load_server(shared).RtspServer(walk) as server:
        address = server.url.replace("rtsp://", "rtsp://me:secret@")
        code, out, err = detect(
            address, "--max-frames", 10, "--record", tmp_path / "out", "--json", tmp_path / "o.jsonl"
        )
    assert code == 0, err
    lines = lines_of(tmp_path / "o.jsonl")
    assert len(lines) == 10
    (recording,) = (tmp_path / "out").iterdir()
    assert count_and_seconds(recording)[0] == 10
    everything = out + err + str(recording) + (tmp_path / "o.jsonl").read_text()
    assert "secret" not in everything
