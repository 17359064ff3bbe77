"""PyTorch checkpoints without PyTorch: what PyTorch itself wrote, and what nobody should run."""

import io
import pickle
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from detector.errors import ImportFileError
from detector.importers import torch_pickle
from detector.importers.torch_file import read_checkpoint
from tests.detector.torch_files import write_naming, write_pickles, write_zip

# written by PyTorch 2.13 itself: tests/oracles/torch_answers.py
WRITTEN_BY_TORCH = Path(__file__).parents[1] / "data" / "torch"

STATE = {
    "conv.weight": np.arange(54, dtype=np.float32).reshape(2, 3, 3, 3),
    "conv.bias": np.float32([1, -2]),
    "norm.num_batches_tracked": np.array(9, np.int64),
}


@pytest.mark.parametrize("file", ["tensors_zip.pth", "tensors_old.pth"])
def test_tensors_of_every_kind_are_read_as_pytorch_wrote_them(file: str) -> None:
    checkpoint = read_checkpoint(WRITTEN_BY_TORCH / file)
    expected = np.load(WRITTEN_BY_TORCH / "tensors.npz")
    assert set(checkpoint.tensors) == set(expected)
    assert {
        "float64",
        "bfloat16",
        "float16",
        "bool",
        "turned",
        "part",
        "shared",
        "empty",
        "parameter",
    } <= set(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(checkpoint.array(name), values)


def test_a_real_checkpoint_of_2019_is_read(shared: Path) -> None:
    checkpoint = read_checkpoint(shared / "models" / "ultraface" / "version-RFB-320.pth")
    assert len(checkpoint.tensors) == 244  # its README, which read it with PyTorch
    counted = [name for name in checkpoint.tensors if "num_batches" not in name]
    sizes = [checkpoint.array(name).size for name in checkpoint.tensors]
    assert sum(sizes) == 281_135
    assert all(np.isfinite(checkpoint.array(name)).all() for name in counted)


@pytest.mark.parametrize("write", [write_zip, write_pickles])
@pytest.mark.parametrize("inside", [None, "model", "state_dict"])
def test_the_weights_are_found_in_what_a_training_saves(write, inside: str | None, tmp_path: Path) -> None:
    state = {f"module.{name}": array for name, array in STATE.items()}  # of several GPUs
    checkpoint = read_checkpoint(write(tmp_path / "x.pth", state, inside=inside))
    assert list(checkpoint.tensors) == list(STATE)
    for name, array in STATE.items():
        np.testing.assert_array_equal(checkpoint.array(name), array)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("subprocess", "Popen"),
        ("torch", "load"),
        ("torch._utils", "_import_dotted_name"),
        ("collections", "namedtuple"),
        ("numpy.core.multiarray", "_reconstruct"),
    ],
)
def test_a_checkpoint_that_names_anything_else_is_refused_and_nothing_runs(
    module: str, name: str, tmp_path: Path
) -> None:
    mark = tmp_path / "it-ran"
    file = write_naming(tmp_path / "x.pth", module, name, f"touch {mark}")
    with pytest.raises(ImportFileError, match=rf"wants to call {module}\.{name}.*nothing of it was run"):
        read_checkpoint(file)
    assert not mark.exists()


class _Deed:
    """What a hostile pickle holds: Python's own pickler writes the call."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self._mark), "w")


def test_a_hostile_pickle_of_python_s_own_making_is_refused_in_both_containers(tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    old, new = tmp_path / "old.pth", tmp_path / "new.pth"
    with old.open("wb") as file:
        for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, {"x": _Deed(mark)}):
            pickle.dump(value, file, 2)
    with zipfile.ZipFile(new, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"x": _Deed(mark)}, 2))
    for file in (old, new):
        with pytest.raises(ImportFileError, match=r"wants to call (_io|io|builtins)\.open"):
            read_checkpoint(file)
    assert not mark.exists()


@pytest.mark.parametrize(
    "state", [b"}X\x01\x00\x00\x00xK\x01s", b"N}X\x05\x00\x00\x00shapeK\x01s\x86", b"(lK\x01a"]
)
def test_a_pickle_cannot_change_what_was_made_or_makes(state: bytes) -> None:
    """BUILD ("b") sets attributes: a tensor, once checked, could claim what lies behind its storage."""
    maker = b"ctorch._utils\n_rebuild_tensor_v2\n"
    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000NK\x01tQ"
    tensor = maker + b"(" + storage + b"K\x00))tR"
    assert torch_pickle.load(io.BytesIO(b"\x80\x02" + tensor + b".")).shape == ()
    for target in (maker, tensor, storage, b"ctorch\nFloatStorage\n"):
        with pytest.raises(ValueError, match="cannot be read"):
            torch_pickle.load(io.BytesIO(b"\x80\x02" + target + state + b"b."))


def test_the_plain_containers_of_a_training_are_admitted() -> None:
    tree = {"milestones": Counter({100: 1}), "rate": [0.1, (1, None, True)], "name": "x"}
    assert torch_pickle.load(io.BytesIO(pickle.dumps(tree, 2))) == tree


@pytest.mark.parametrize("write", [write_zip, write_pickles])
def test_a_file_cut_anywhere_is_refused_in_words(write, tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.pth", STATE).read_bytes()
    for length in range(16, len(whole) - 1, 37):
        cut = tmp_path / "cut.pth"
        cut.write_bytes(whole[:length])
        with pytest.raises((ImportFileError, ValueError)):
            checkpoint = read_checkpoint(cut)
            for name in checkpoint.tensors:
                checkpoint.array(name)


def test_a_tensor_larger_than_its_storage_is_refused(tmp_path: Path) -> None:
    file = write_zip(tmp_path / "x.pth", STATE)
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    shape, larger = b"(J\x02\x00\x00\x00t", b"(J\xff\xff\xff\x7ft"
    assert shape in parts["archive/data.pkl"]
    parts["archive/data.pkl"] = parts["archive/data.pkl"].replace(shape, larger)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(ImportFileError, match="larger than its storage"):
        read_checkpoint(file)
