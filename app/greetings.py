"""Keeps to itself what libraries write to stderr while they load."""

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from detector.engines.devices import cuda_devices


@contextmanager
def without_greetings() -> Iterator[None]:
    """TensorFlow tells every process its build flags and the GPU it did not find; no setting stops all of it.

    What was written is shown after all when loading fails.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what it says later
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept:
        stderr = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
            sys.stderr.flush()
        except BaseException:
            sys.stderr.flush()
            kept.seek(0)
            os.write(stderr, kept.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def load_keras_quietly(engine: str, device: str) -> None:
    """Imports what `open_engine` will, where it will choose Keras; what fails is its business to say."""
    if engine == "keras" or (engine == "auto" and device != "cpu" and cuda_devices()):
        with suppress(ImportError, ValueError), without_greetings():
            importlib.import_module("detector.engines.keras_engine")
