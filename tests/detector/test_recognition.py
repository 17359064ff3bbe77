"""Files are recognised by what they hold, and what cannot be imported is named with a way to go on."""

import gzip
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.errors import ImportFileError
from detector.importers import import_file, inspect_file


class Malicious:
    """Runs a command when it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self._witness = witness

    def __reduce__(self) -> Any:
        return Path.touch, (self._witness,)


def refused(path: Path) -> str:
    for look in (inspect_file, lambda file: import_file(file, name="x")):
        with pytest.raises(ImportFileError) as error:
            look(path)
        assert path.name in str(error.value) and "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_old_ports_are_refused_with_a_way_to_go_on(tmp_path: Path, protocol: int) -> None:
    priors, labels = tmp_path / "prior_boxes_ssd300.pkl", tmp_path / "gt_pascal.pkl"
    priors.write_bytes(pickle.dumps(np.zeros((7308, 8), np.float32), protocol))
    labels.write_bytes(pickle.dumps({"000012.jpg": np.zeros((1, 24))}, protocol))
    said = refused(priors)
    assert "7308 prior boxes, the anchors of rykov8's SSD300" in said and "import the file of weights" in said
    said = refused(labels)
    assert "labelled pictures (000012.jpg …)" in said and "train --data FOLDER" in said


def test_no_pickle_is_ever_opened(tmp_path: Path) -> None:
    witness, path = tmp_path / "witness", tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps([Malicious(witness), "x.jpg"]))
    refused(path)
    path.write_bytes(pickle.dumps(Malicious(witness)))
    assert "not opened because that would run whatever it says" in refused(path)
    assert not witness.exists()


def test_the_name_of_a_file_plays_no_part(tmp_path: Path) -> None:
    for name, content, words in (
        ("a.caffemodel", b"\x93NUMPY" + bytes(40), "an array of NumPy"),
        ("b.pth", gzip.compress(b"x"), "is an archive; unpack it"),
        ("c.h5", b'name: "net" layer { name: "x" }', "a Caffe network without weights"),
        ("d.tflite", b"\x08\x07\x3a\x02\x0a\x00", "is an ONNX network"),
        ("e.pb", b"\x89HDF\r\n\x1a\n" + bytes(40), "damaged or not complete"),
        ("f.h5", bytes(2000), "no file of weights known here"),
    ):
        (tmp_path / name).write_bytes(content)
        assert words in refused(tmp_path / name)
    path = tmp_path / "model.h5"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.weights.h5", b"")
    assert "an archive of Keras 3" in refused(path)
    path.write_bytes(path.read_bytes()[:30])
    assert "a zip archive that is damaged or not complete" in refused(path)


def test_random_bytes_are_never_a_traceback(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    path = tmp_path / "noise"
    starts = (
        b"",
        b"\x0a",
        b"\x0a\x04name\xa2\x06",
        b"PK\x03\x04",
        b"\x80\x02",
        b"(dp0\n",
        b"\x89HDF\r\n\x1a\n",
    )
    for turn in range(200):
        path.write_bytes(starts[turn % len(starts)] + random.bytes(int(random.integers(1, 400))))
        refused(path)
