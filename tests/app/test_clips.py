"""Coded pictures on their way into a file, and the encoders they come from."""

import io
import itertools
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from app.recording.clip import Clip, can_begin
from app.recording.codecs import DEFAULT_CODEC, find_codec, ladder, working_codecs
from app.recording.encoder import TICKS, Encoder
from app.recording.finishing import decoding_order, finish
from app.sources.packets import Packet
from detector.errors import OptionError, RecordingError
from tests.app.outputs import names, pictures
from tests.app.videos import numbered_picture, read_number, write_video


def packets_of(path: Path) -> tuple[bytes, list[Packet]]:
    """Parameter sets and packets of a file, as a camera would send them (Annex B)."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        bare = av.bitstream.BitStreamFilterContext("h264_mp4toannexb", stream)
        packets = [each for packet in container.demux(stream) if packet.size for each in bare.filter(packet)]
        base = float(stream.time_base or Fraction(1, 1000))
        return b"", [
            Packet(bytes(each), each.pts * base, each.dts * base, each.is_keyframe) for each in packets
        ]


def numbers_in(path: Path) -> tuple[list[float], list[int]]:
    with av.open(str(path)) as container:
        frames = [
            (frame.time, read_number(frame.to_ndarray(format="bgr24"))) for frame in container.decode(video=0)
        ]
    times, numbers = zip(*frames)
    return list(times), list(numbers)


@pytest.mark.parametrize("b_frames", [0, 2])
def test_packets_of_a_camera_are_copied_bit_for_bit_at_their_times(tmp_path: Path, b_frames: int) -> None:
    times = list(itertools.accumulate([40, 20, 100, 33, 40] * 8, initial=0))
    write_video(tmp_path / "camera.mp4", times_ms=times, b_frames=b_frames)
    extradata, packets = packets_of(tmp_path / "camera.mp4")
    clip = Clip(tmp_path / "out.mp4", extradata=extradata)
    for packet in packets:
        clip.write(packet)
    clip.close()
    result = finish(clip.part, clip.path, clip.ticks, rate=None)
    assert result.frames == len(times)
    assert result.seconds == pytest.approx(times[-1] / 1000, rel=0.02, abs=0.05)
    shown, numbers = numbers_in(tmp_path / "out.mp4")
    assert shown == pytest.approx([each / 1000 for each in times], abs=1e-4)
    assert numbers == list(range(len(times)))
    _, copied = packets_of(tmp_path / "out.mp4")
    assert [packet.content[-50:] for packet in copied] == [packet.content[-50:] for packet in packets]


@pytest.mark.parametrize("count", range(20, 30))
def test_a_camera_may_fall_silent_between_any_two_packets(tmp_path: Path, count: int) -> None:
    """With B-frames, the last packet is not the last picture, and one before it may never have come."""
    write_video(tmp_path / "camera.mp4", 40, b_frames=3)
    _, packets = packets_of(tmp_path / "camera.mp4")
    clip = Clip(tmp_path / "out.mp4")
    for packet in packets[:count]:
        clip.write(packet)
    clip.close()
    result = finish(clip.part, clip.path, clip.ticks, rate=None)
    assert result.frames == count
    assert result.seconds == pytest.approx(max(each.pts for each in packets[:count]), abs=0.2)
    shown, _ = numbers_in(result.path)
    assert shown == pytest.approx(sorted(each.pts for each in packets[:count]), abs=1e-4)


def test_what_is_shown_before_the_first_key_frame_is_left_out(tmp_path: Path) -> None:
    write_video(tmp_path / "camera.mp4", 40)
    _, packets = packets_of(tmp_path / "camera.mp4")
    clip = Clip(tmp_path / "out.mp4")
    clip.write(packets[12])
    clip.write(packets[11])  # an open group of pictures: it can only be decoded with the one before
    clip.write(packets[13])
    clip.close()
    finish(clip.part, clip.path, clip.ticks, rate=25.0)
    assert numbers_in(tmp_path / "out.mp4")[1] == [12, 13]


@pytest.mark.parametrize(
    ("shown", "decoded"),
    [([0, 4, 8], [0, 4, 8]), ([0, 12, 4, 8, 24, 16, 20], [-4, 0, 4, 8, 12, 16, 20])],
)
def test_the_order_of_decoding_rises_and_is_never_too_late(shown: list[int], decoded: list[int]) -> None:
    assert decoding_order(shown) == decoded


def headers(packet: Packet) -> bytes:
    """Sequence and picture parameter sets."""
    with av.open(io.BytesIO(packet.content), format="h264") as reader:
        return bytes(reader.streams.video[0].codec_context.extradata or b"")


def test_all_presets_write_the_same_headers() -> None:
    assert len(ladder(DEFAULT_CODEC, 480, 640, 25.0)) > 1
    encoder = Encoder(480, 640, 25.0)
    random = np.random.default_rng(0)
    seen = []
    for step in range(len(ladder(DEFAULT_CODEC, 480, 640, 25.0))):
        noise = random.integers(0, 255, (480, 640, 3), np.uint8) // (step + 1)  # as different as can be
        packets = encoder.encode(noise, step * TICKS)
        held = encoder.ease()
        packets += encoder.flush() if held is None else held
        seen.append(headers(packets[0]))
    assert len(set(seen)) == 1


def test_a_recording_that_steps_down_to_a_faster_preset_misses_no_frame(tmp_path: Path) -> None:
    encoder, clip = Encoder(96, 192, 25.0), Clip(tmp_path / "out.mp4")
    presets = [encoder.preset]
    for number in range(60):
        packets = encoder.encode(numbered_picture(number), number * TICKS // 25)
        if number in (20, 40):
            packets += encoder.ease() or []
            presets.append(encoder.preset)
        for packet in packets:
            clip.write(packet)
    assert encoder.ease() is None
    for packet in encoder.flush():
        clip.write(packet)
    clip.close()
    finish(clip.part, clip.path, clip.ticks, rate=25.0)
    times, numbers = numbers_in(tmp_path / "out.mp4")
    assert numbers == list(range(60))
    assert times == pytest.approx([number / 25 for number in range(60)], abs=1e-4)
    assert presets == ["veryfast", "superfast", "ultrafast"]


def test_the_codecs_offered_are_those_whose_frames_were_read_back() -> None:
    working = [codec.name for codec in working_codecs()]
    assert "libx264" in working and "mpeg4" in working
    assert working.count("libx264") == 1 and len(working) < 7  # there is no machine that has them all


def test_an_unknown_codec_is_answered_with_those_there_are() -> None:
    with pytest.raises(OptionError, match=r"no codec 'h265'; it is one of libx264"):
        find_codec("h265")


def test_a_packet_that_is_no_video_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    clip = Clip(tmp_path / "out.mp4")
    with pytest.raises(RecordingError, match="before the first frame"):
        clip.write(Packet(b"no video at all", 0.0, 0.0, True))
    with pytest.raises(RecordingError):
        clip.close()
    assert names(tmp_path) == []


def test_a_key_frame_that_is_cut_off_begins_no_clip_and_is_no_full_disk(tmp_path: Path) -> None:
    write_video(tmp_path / "camera.mp4", 2)
    _, (whole, _) = packets_of(tmp_path / "camera.mp4")
    picture = whole.content.index(b"\x00\x00\x01\x65")
    cut = Packet(whole.content[: picture + 4], 0.0, 0.0, True)
    assert can_begin(whole) and not can_begin(cut) and not can_begin(Packet(b"no video", 0.0, 0.0, True))
    with pytest.raises(RecordingError, match=r"\(invalid argument\) before the first frame\.$"):
        Clip(tmp_path / "out.mp4").write(cut)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0\0\1", bytes(100), b"no video at all"],
    ids=["empty", "only a start", "zeros", "something else"],
)
def test_a_packet_with_nothing_in_it_does_not_keep_a_clip_from_being_finished(
    tmp_path: Path, content: bytes
) -> None:
    write_video(tmp_path / "camera.mp4", 40)
    _, packets = packets_of(tmp_path / "camera.mp4")
    clip = Clip(tmp_path / "out.mp4")
    for number, packet in enumerate(packets):
        clip.write(replace(packet, content=content) if number == 30 else packet)
    clip.close()
    assert finish(clip.part, clip.path, clip.ticks, rate=25.0).frames == 39
    times, numbers = numbers_in(tmp_path / "out.mp4")
    whole = [number for number in range(40) if number != 30]
    assert [round(time * 25) for time in times] == whole and set(numbers[:30]) == set(range(30))


def test_a_stream_whose_times_go_back_is_finished_with_all_its_pictures(tmp_path: Path) -> None:
    write_video(tmp_path / "camera.mp4", 40)
    _, packets = packets_of(tmp_path / "camera.mp4")
    clip = Clip(tmp_path / "out.mp4")
    for packet in packets[:30] + [replace(each, pts=each.pts - 0.8) for each in packets[30:]]:
        clip.write(packet)
    clip.close()
    assert finish(clip.part, clip.path, clip.ticks, rate=25.0).frames == 40
    assert len(list(pictures(tmp_path / "out.mp4"))) == 40


def parsed(stream: bytes) -> list[Packet]:
    """Packets as FFmpeg's parser makes them of a stream without times, 25 a second."""
    with av.open(io.BytesIO(stream), format="h264") as container:
        return [
            Packet(bytes(packet), number / 25, number / 25, packet.is_keyframe)
            for number, packet in enumerate(each for each in container.demux(video=0) if each.size)
        ]


def test_a_key_frame_cut_off_and_joined_to_the_next_picture_begins_no_clip(tmp_path: Path) -> None:
    write_video(tmp_path / "camera.mp4", 75, key_every=25)
    _, sent = packets_of(tmp_path / "camera.mp4")
    content = [packet.content for packet in sent]
    content[25] = content[25][: content[25].index(b"\x00\x00\x01\x65") + 4]
    packets = parsed(b"".join(content))
    keys = [number for number, packet in enumerate(packets) if packet.keyframe]
    assert keys == [0, 25, 49] and content[26] in packets[25].content, "the parser has joined the two"
    assert [can_begin(packets[number]) for number in keys] == [True, False, True]


def test_a_stream_that_is_refreshed_bit_by_bit_may_begin_where_a_refresh_does(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "camera.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 192, 96, "yuv420p"
        stream.options = {"g": "25", "x264-params": "intra-refresh=1:repeat-headers=1:bframes=0"}
        for number in range(60):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered_picture(number), "bgr24")))
        container.mux(stream.encode(None))
    _, packets = packets_of(tmp_path / "camera.mp4")
    refreshed = [packet for packet in packets[1:] if packet.keyframe]
    assert refreshed and all(can_begin(packet) for packet in refreshed)
