"""What is timed: the bare network in TensorFlow, our engines, and LiteRT with its own file."""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from app.benchmark.measuring import Stages, Way
from detector.engines import Engine
from detector.engines.pictures import fill
from detector.errors import EngineError
from detector.model_store import Model
from detector.values import Frame

TENSORFLOW = "TensorFlow CPU float32, network alone"
_LITERT_THREADS = 2  # as people run it


def tensorflow_network(model: Model, frame: Frame) -> Way:
    """The network of a model as people call it: `tf.function` in float32 on a picture of the right size."""
    import tensorflow as tf

    from detector.networks.catalog import load_network

    network = load_network(model)
    signature = [tf.TensorSpec((1, *model.card.input_size, 3), tf.float32)]
    run = tf.function(lambda pictures: network(pictures, training=False), input_signature=signature)
    picture = np.empty((*model.card.input_size, 3), np.uint8)
    fill(picture, frame, model.card.channel_order)
    pictures = tf.constant(picture[None], tf.float32)

    def call() -> Stages:
        started = perf_counter()
        for answer in run(pictures).values():
            answer.numpy()
        return {"network": (perf_counter() - started) * 1e3}

    call()
    return Way(model.name, TENSORFLOW, call)


def whole_call(model: Model, engine: Engine, frames: Sequence[Frame]) -> Way:
    """`detect(frames)`: resizing, network, decoding, NMS and scaling back."""

    def call() -> Stages:
        started = perf_counter()
        engine.detect(frames)
        whole = (perf_counter() - started) * 1e3
        timing = engine.timing
        return {
            "resize": timing.resize_ms,
            "network": timing.network_ms,
            "selection": timing.selection_ms,
            "whole": whole,
        }

    return Way(model.name, engine.device, call, batch=len(frames))


def litert(file: Path, frame: Frame) -> Way:
    """A TFLite SSD with two threads; its boxes are selected inside its network.

    raises  EngineError when LiteRT cannot run the file
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_path=str(file), num_threads=_LITERT_THREADS)
        interpreter.allocate_tensors()
        (entry,) = interpreter.get_input_details()
        _, height, width, _ = entry["shape"]
    except (ValueError, RuntimeError, OSError) as error:
        raise EngineError(f"LiteRT cannot run {file}: {error}") from error
    answers = [each["index"] for each in interpreter.get_output_details()]
    picture = np.empty((height, width, 3), np.uint8)
    is_quantised = entry["dtype"] == np.uint8

    def call() -> Stages:
        started = perf_counter()
        fill(picture, frame, "RGB")
        resized = perf_counter()
        pictures: Any = picture[None] if is_quantised else (picture[None].astype(np.float32) - 127.5) / 127.5
        interpreter.set_tensor(entry["index"], pictures)
        interpreter.invoke()
        for index in answers:
            interpreter.get_tensor(index)
        ended = perf_counter()
        return {
            "resize": (resized - started) * 1e3,
            "network": (ended - resized) * 1e3,
            "whole": (ended - started) * 1e3,
        }

    call()
    precision = "8 bit" if is_quantised else "float32"
    return Way(file.stem, f"LiteRT CPU {precision}, {_LITERT_THREADS} threads, selection included", call)
