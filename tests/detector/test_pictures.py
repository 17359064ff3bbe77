"""One loader for every kind of picture: three channels of 8 bits, upright, nothing hidden shown."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.pictures import read_picture


def _write(path: Path, picture: np.ndarray) -> Path:
    path.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())
    return path


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_what_is_transparent_shows_mid_grey(tmp_path: Path, depth: type):
    most = np.iinfo(depth).max
    picture = np.zeros((3, 5, 4), depth)
    picture[..., :3] = np.array([0.2, 0.4, 1.0]) * most
    picture[0, :, 3], picture[1, :, 3], picture[2, :, 3] = most, most // 2, 0
    pixels = read_picture(_write(tmp_path / "a.png", picture))
    assert pixels.dtype == np.uint8 and pixels.shape == (3, 5, 3)
    assert np.abs(pixels[0, 0].astype(int) - (51, 102, 255)).max() <= 1
    assert np.abs(pixels[1, 0].astype(int) - (90, 115, 191)).max() <= 1
    assert pixels[2, 0].tolist() == [128, 128, 128]


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_an_opaque_picture_keeps_its_colours(tmp_path: Path, suffix: str):
    picture = np.random.default_rng(1).integers(0, 255, (8, 10, 3), np.uint8)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(cv2.imencode(suffix, picture, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes())
    assert np.array_equal(read_picture(path), picture)


def test_grey_pictures_of_8_and_16_bits_become_three_equal_channels(tmp_path: Path):
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
    for picture in (grey, grey.astype(np.uint16) * 257):
        pixels = read_picture(_write(tmp_path / "a.png", picture))
        assert pixels.dtype == np.uint8
        assert all(np.array_equal(pixels[..., channel], grey) for channel in range(3))
