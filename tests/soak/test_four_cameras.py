"""Half an hour of four cameras that fail at random, recorded by `record`: run by hand with `-m soak -s`.

The cameras are real RTSP servers, each a process that is killed and started again while it is recorded.
SOAK_MINUTES changes the half hour.
"""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import av
import numpy as np
import pytest

from tests.app.rtsp import server_process
from tests.app.test_recording import ROOT
from tests.app.videos import eventually, read_number, write_video

MINUTES = float(os.environ.get("SOAK_MINUTES", 30))
SETTLED = min(5.0, MINUTES / 3)  # minutes until the memory is looked at
SEGMENT = 60  # seconds
FRAMES = 1500  # of the clip that a camera loops

pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(MINUTES * 60 + 1200),
    pytest.mark.skipif(sys.platform != "linux", reason="memory, threads and descriptors are read from /proc"),
]


class Camera(threading.Thread):
    """A server that is killed after 20 to 120 s, and comes back after 2 to 12 s, until told to stop."""

    def __init__(self, shared: Path, clip: Path, seed: int) -> None:
        super().__init__(daemon=True)
        self._shared, self._clip, self._chance = shared, clip, random.Random(seed)
        self._stopped = threading.Event()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.kills = 0
        self.url = ""
        self.up = threading.Event()

    def run(self) -> None:
        while not self._stopped.is_set():
            with server_process(self._shared, self._clip, port=self._port) as (url, _):
                self.url = url
                self.up.set()
                self._stopped.wait(self._chance.uniform(20, 120))
            self.kills += not self._stopped.is_set()
            self._stopped.wait(self._chance.uniform(2, 12))

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def family_of(pid: int) -> list[int]:
    """A process and all its descendants."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue  # it has just ended
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family


def measured(pid: int) -> tuple[float, int, int, int]:
    """Of a process and its descendants: MB of memory (shared pages once), threads, descriptors, processes."""
    memory = threads = descriptors = number = 0
    for member in family_of(pid):
        folder = Path(f"/proc/{member}")
        try:
            rollup = (folder / "smaps_rollup").read_text()
            memory += int(re.search(r"^Pss:\s+(\d+)", rollup, re.M).group(1))  # type: ignore[union-attr]
            threads += len(list((folder / "task").iterdir()))
            descriptors += len(list((folder / "fd").iterdir()))
            number += 1
        except OSError:
            continue
    return memory / 1024, threads, descriptors, number


def breaks_in(clips: list[Path]) -> tuple[int, int, list[str]]:
    """(frames, breaks, clips that do not play) of one source's recordings, in order.

    A break is a frame whose number does not follow the number before it, also from one clip to the next.
    """
    frames = breaks = 0
    last: int | None = None
    broken = []
    for clip in clips:
        before = frames
        with av.open(str(clip)) as container:
            container.streams.video[0].thread_type = "AUTO"
            for frame in container.decode(video=0):
                number = read_number(frame.to_ndarray(format="bgr24"))
                breaks += last is not None and number != (last + 1) % FRAMES
                last = number
                frames += 1
        if frames == before:
            broken.append(clip.name)
    return frames, breaks, broken


def source_of(clip: Path) -> str:
    """The camera's part of a recording's name, which ends in the time."""
    return re.sub(r"[-_ ]\d{4}-?\d{2}-?\d{2}.*", "", clip.stem)


def test_nothing_grows_and_nothing_is_lost(shared: Path, coco_home: Path, tmp_path: Path) -> None:
    folder, clip = tmp_path / "recordings", tmp_path / "camera.mp4"
    write_video(clip, FRAMES, size=(768, 432), key_every=25)
    cameras = [Camera(shared, clip, seed) for seed in range(4)]
    with ExitStack() as stack:
        for camera in cameras:
            camera.start()
            stack.callback(camera.stop)
        assert all(camera.up.wait(20) for camera in cameras)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "main.py", "record", *(camera.url for camera in cameras)]
        command += ["--folder", str(folder), "--model", "coco", "--segments", f"{SEGMENT}s"]
        command += ["--metrics", str(port)]
        said = stack.enter_context((tmp_path / "said.txt").open("w+"))
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"SSD_STUDIO_HOME": str(coco_home)}, stdout=said, stderr=said
        )
        stack.callback(process.kill)
        samples = watch(process, port)
        process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        assert process.wait(30) == 0
        ending = time.monotonic() - asked
    report(samples)

    late = np.array([sample for sample in samples if sample[0] >= SETTLED])
    slope = np.polyfit(late[:, 0], late[:, 1], 1)[0]
    print(f"memory {late[:, 1].min():.0f} to {late[:, 1].max():.0f} MB, slope {slope:+.2f} MB a minute")
    print(f"ended {ending:.1f} s after SIGTERM")
    assert eventually(lambda: not list(folder.glob("*.part.*")))
    clips_by_source = {
        source: [path for path in sorted(folder.glob("*.mp4")) if source_of(path) == source]
        for source in Counter(map(source_of, folder.glob("*.mp4")))
    }
    assert len(clips_by_source) == 4, sorted(path.name for path in folder.iterdir())
    kills = sum(camera.kills for camera in cameras)
    total = 0
    for source, clips in clips_by_source.items():
        frames, breaks, broken = breaks_in(clips)
        total += breaks
        print(f"{source}: {len(clips)} clips, {frames} frames, {breaks} breaks")
        assert not broken
        assert all(path.with_suffix(".jsonl").exists() for path in clips)
    print(f"{kills} kills, {total} breaks")
    assert total <= kills  # every break is a camera's death: no frame of a living one is missing
    assert slope < 1.0
    steady = [sample for sample in samples if sample[0] >= SETTLED]
    threads, descriptors = (
        np.polyfit(*np.array([(s[0], s[column]) for s in steady]).T, 1)[0] for column in (2, 3)
    )
    print(f"threads {threads:+.3f} a minute, descriptors {descriptors:+.3f} a minute")
    assert threads < 0.2 and descriptors < 0.5


def watch(process: "subprocess.Popen[bytes]", port: int) -> list[tuple[float, float, int, int, int]]:
    """(minute, MB, threads, descriptors, processes) every five seconds; it must go on all the time."""
    started, samples = time.monotonic(), []
    while (minute := (time.monotonic() - started) / 60) < MINUTES:
        assert process.poll() is None
        samples.append((minute, *measured(process.pid)))
        if len(samples) % 12 == 0:
            print(f"{minute:5.1f} min  {samples[-1][1]:.0f} MB  {figures(port)}", flush=True)
        time.sleep(5)
    return samples


def figures(port: int) -> str:
    """What the recorder tells Prometheus of its rates, in a line."""
    text = urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()

    def read(stage: str) -> list[str]:
        found = re.findall(rf'frames_per_second{{[^}}]*stage="{stage}"}} (\S+)', text)
        return [f"{float(value):.0f}" for value in found]

    return "  ".join(f"{stage} {' '.join(read(stage))}" for stage in ("captured", "detected", "written"))


def report(samples: list[tuple[float, float, int, int, int]]) -> None:
    table = np.array(samples)
    for name, column in (("threads", 2), ("descriptors", 3), ("processes", 4)):
        print(f"{name} {table[:, column].min():.0f} to {table[:, column].max():.0f}")
