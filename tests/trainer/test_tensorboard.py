"""TensorBoard's own reader finds what was written."""

from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow.core.util.event_pb2 import Event

from trainer.tensorboard import EventsFile


def test_tensorflow_reads_the_curves(tmp_path: Path) -> None:
    events = EventsFile(tmp_path)
    events.add(0, {"loss": 12.5, "rate": 1e-3})
    events.add(300, {"loss": 0.25})
    (path,) = tmp_path.iterdir()
    # the check sums are verified by this reader: it stops with an error at the first that is wrong
    read = [Event.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(path))]
    assert read[0].file_version == "brain.Event:2"
    numbers = [
        (event.step, {value.tag: value.simple_value for value in event.summary.value}) for event in read[1:]
    ]
    assert numbers[0] == (0, {"loss": 12.5, "rate": pytest.approx(1e-3)})
    assert numbers[1] == (300, {"loss": 0.25})
    assert read[1].wall_time > 1.7e9


def test_every_sitting_gets_a_file_of_its_own(tmp_path: Path) -> None:
    for _ in range(2):
        EventsFile(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
