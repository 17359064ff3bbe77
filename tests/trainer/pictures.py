"""Small datasets written as people write them, for the tests of this room."""

import struct
from pathlib import Path

import cv2
import numpy as np


def picture(path: Path, height: int = 60, width: int = 80, *, orientation: int | None = None) -> Path:
    """A grey picture with a red rectangle over x 10..40, y 5..25; EXIF says how to turn it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((height, width, 3), 128, np.uint8)
    pixels[5:25, 10:40] = (0, 0, 255)
    _, content = cv2.imencode(path.suffix, pixels, [cv2.IMWRITE_JPEG_QUALITY, 100])
    data = content.tobytes()
    if orientation:
        exif = b"Exif\0\0MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
        data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
    path.write_bytes(data)
    return path


def voc_object(name: str, xmin, ymin, xmax, ymax, *, difficult: int = 0, truncated: int = 0) -> str:
    corners = f"<xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax>"
    flags = f"<truncated>{truncated}</truncated><difficult>{difficult}</difficult>"
    return f"<object><name>{name}</name>{flags}<bndbox>{corners}</bndbox></object>"


def voc_file(folder: Path, stem: str, *objects: str, size: tuple[int, int] | None = (60, 80)) -> Path:
    """One picture and its XML in the usual folders."""
    if not (folder / "JPEGImages" / f"{stem}.jpg").exists():
        picture(folder / "JPEGImages" / f"{stem}.jpg")
    stated = f"<size><width>{size[1]}</width><height>{size[0]}</height></size>" if size else ""
    path = folder / "Annotations" / f"{stem}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    owner = "<owner><name>somebody</name></owner>"
    path.write_text(
        f"<annotation><filename>{stem}.jpg</filename>{owner}{stated}{''.join(objects)}</annotation>"
    )
    return path


def voc_list(folder: Path, split: str, *stems: str) -> None:
    path = folder / "ImageSets" / "Main" / f"{split}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{stem}\n" for stem in stems))
