"""Files damaged at random: whatever the decoder does with them, the program gets a last word and goes on."""

import random
from collections import Counter
from pathlib import Path

import av
import pytest

from app.sources import Source, State, Status, open_source
from app.sources.folder import Pictures
from detector.values import Frame
from tests.app.videos import frames_of, write_video

_LAST_WORDS = {State.ENDED, State.FAILED, State.CRASHED}


@pytest.fixture(scope="module")
def seeds(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Whole files to damage: seconds of the real videos in several containers, and the awkward ones."""
    folder = tmp_path_factory.mktemp("seeds")
    for clip in sorted((shared / "video").glob("*.mp4")):
        for suffix in (".mp4", ".mkv", ".ts"):
            _excerpt(clip, folder / (clip.stem + suffix))
    write_video(folder / "motion-jpeg.avi", 20, codec="mjpeg")
    write_video(folder / "bare.h264", 20, container_format="h264")
    awkward = [path for path in (shared / "video/broken").iterdir() if path.stat().st_size < 2**20]
    return sorted(folder.iterdir()) + sorted(awkward)


def _excerpt(clip: Path, to: Path, packets: int = 40) -> None:
    with av.open(clip) as source, av.open(to, "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is None or packets == 0:
                break
            packet.stream = stream
            target.mux(packet)
            packets -= 1


def _damaged(content: bytes, chance: random.Random) -> bytes:
    """One of the ways files go wrong: bits flip, the end is missing, pieces are lost, doubled or zeroed."""
    if not content:
        return chance.randbytes(100)
    spoilt = bytearray(content)
    for _ in range(chance.choice([1, 3, 30])):
        at = chance.randrange(len(spoilt))
        length = chance.choice([1, 1, 4, 200])
        match chance.randrange(6):
            case 0 | 1 | 2:
                spoilt[at : at + length] = chance.randbytes(len(spoilt[at : at + length]))
            case 3:
                spoilt[at : at + length] = bytes(len(spoilt[at : at + length]))
            case 4:
                spoilt[at:at] = spoilt[at : at + length]
            case 5 if len(spoilt) > 1000:
                del spoilt[at : at + length]
    if chance.random() < 0.2:
        del spoilt[chance.randrange(len(spoilt)) :]
    return bytes(spoilt)


def _last_state(source: Source) -> State:
    last: Frame | Status | None = None
    for last in source:
        if isinstance(last, Frame):
            assert last.pixels.size
    assert isinstance(last, Status)
    return last.state


def _survive(seeds: list[Path], folder: Path, numbers: range) -> Counter[State]:
    states: Counter[State] = Counter()
    for number in numbers:
        seed = seeds[number % len(seeds)]
        path = folder / f"{number}{seed.suffix}"
        path.write_bytes(_damaged(seed.read_bytes(), random.Random(number)))
        state = _last_state(open_source(str(path)))
        assert state in _LAST_WORDS, path.name
        states[state] += 1
        path.unlink()
    return states


def test_twenty_damaged_files_are_survived(seeds: list[Path], tmp_path: Path):
    states = _survive(seeds, tmp_path, range(20))
    assert states[State.ENDED] > 3  # most damage leaves something to see


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_five_hundred_damaged_files_are_survived(seeds: list[Path], tmp_path: Path):
    states = _survive(seeds, tmp_path, range(500))
    print(dict(states))
    healthy = tmp_path / "healthy.mp4"
    write_video(healthy, 10)
    assert len(frames_of(open_source(str(healthy)))) == 10


def test_a_folder_of_damaged_pictures_is_survived(shared: Path, tmp_path: Path):
    photographs = sorted((shared / "data/voc2007").rglob("*.jpg"))[:12]
    for number, photograph in enumerate(photographs):
        spoilt = _damaged(photograph.read_bytes(), random.Random(number))
        (tmp_path / f"{number}.jpg").write_bytes(spoilt)
    assert _last_state(Pictures(tmp_path)) in _LAST_WORDS
