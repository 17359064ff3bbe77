"""Other people's weights as models of ours: one file an origin, recognised by its content."""

from pathlib import Path

from detector.errors import ImportFileError
from detector.importers.imported import Imported

__all__ = ["Imported", "import_file"]

# What a file of weights begins with, for those that can be named but not imported.
_OTHERS = (
    (b"\x89HDF\r\n\x1a\n", "a Keras or other HDF5 file"),
    (b"PK\x03\x04", "a zip archive, perhaps a PyTorch checkpoint or a .keras model"),
    (b"\x80\x02", "a Python pickle, perhaps an old PyTorch checkpoint"),
)


def import_file(path: Path, *, name: str, classes_file: Path | None = None) -> Imported:
    """A foreign file of weights as a model called `name`, not saved yet.

    classes_file  names of the classes, one a line; needed where the file does not say them
    raises        ImportFileError in words when the file is missing, damaged, or nothing we can run
    """
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise ImportFileError(f"{path} cannot be read: {error.strerror or error}.") from error
    if start[4:8] != b"TFL3":
        raise ImportFileError(f"{path.name} is {_words(start)}; what can be imported is a TFLite model.")
    from detector.importers.tflite import import_tflite

    return import_tflite(path, name=name, classes_file=classes_file)


def _words(start: bytes) -> str:
    if not start:
        return "empty"
    return next(
        (words for magic, words in _OTHERS if start.startswith(magic)), "no file of weights known here"
    )
