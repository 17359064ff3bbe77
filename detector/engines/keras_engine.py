"""A model run by Keras, on TensorFlow or JAX: from picture to kept boxes in one compiled graph."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import keras
import numpy as np
from keras import ops

from detector.anchors import generate
from detector.boxes import to_pixels
from detector.engines import graph_nms
from detector.engines.devices import cuda_devices, usable_cores
from detector.engines.engine import FLOOR, Timing
from detector.engines.exact_layers import leading
from detector.engines.graph_nms import BatchSelection
from detector.engines.keras_backends import Backend, Graph, open_backend
from detector.engines.pictures import fill
from detector.errors import EngineError
from detector.model_store import Model
from detector.networks.catalog import load_network
from detector.nms import CANDIDATES
from detector.values import Detections, Frame

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
_FIRST_BFLOAT16 = (8, 0)  # compute capability of the A100


class KerasEngine:
    """See `detector.engines.Engine`.

    Graphs have fixed shapes, so there is one for each of 1, 2, 4, 8 ... pictures up to the largest batch, all
    made at the start; a batch between two is filled up with black.
    """

    def __init__(self, model: Model, *, device: str, precision: str, batch: int) -> None:
        self._card = model.card
        self.traces = 0
        backend = open_backend(device)
        precision = _chosen(precision, backend)
        self._device = f"Keras {backend.name} {backend.place} {precision}"
        with backend.here(), _policy(_POLICIES[precision]):
            self._graphs = self._compiled(model, backend, batch)
        self._pool = ThreadPoolExecutor(min(usable_cores(), 8))
        self._timing = Timing()
        black = Frame(np.zeros((*model.card.input_size, 3), np.uint8))
        for size in self._graphs:
            self.detect([black] * size)

    @property
    def device(self) -> str:
        return self._device

    @property
    def timing(self) -> Timing:
        return self._timing

    def detect(
        self,
        frames: Sequence[Frame],
        *,
        nms_iou: float | None = None,
        max_detections: int | None = None,
        floor: float = FLOOR,
    ) -> list[Detections]:
        card = self._card
        nms_iou = card.nms_iou if nms_iou is None else nms_iou
        max_detections = card.max_detections if max_detections is None else max_detections
        started = perf_counter()
        resizing, running = 0.0, []
        for size, piece in self._pieces(frames):
            before = perf_counter()
            pictures = np.zeros((size, *card.input_size, 3), np.uint8)
            with_threads = self._pool.map if len(piece) > 1 else map
            list(with_threads(fill, pictures, piece, [card.channel_order] * len(piece)))
            resizing += perf_counter() - before
            running.append((piece, self._graphs[size](pictures, floor, nms_iou)))  # a GPU goes on by itself
        kept = [(piece, BatchSelection(*map(np.asarray, selection))) for piece, selection in running]
        computed = perf_counter()
        found = [
            _detections(frame, selection, row, max_detections)
            for piece, selection in kept
            for row, frame in enumerate(piece)
        ]
        self._timing = Timing(
            resize_ms=resizing * 1e3,
            network_ms=(computed - started - resizing) * 1e3,
            selection_ms=(perf_counter() - computed) * 1e3,
        )
        return found

    def close(self) -> None:
        self._graphs = {}
        self._pool.shutdown()

    def _compiled(self, model: Model, backend: Backend, batch: int) -> dict[int, Graph]:
        card = model.card
        anchors = generate(card.anchors)

        def select(answers: dict[str, Any], floor: Any, nms_iou: Any) -> BatchSelection:
            self.traces += 1  # Python comes here only while a graph is made
            logits = ops.cast(answers["logits"], "float32")
            if card.score_activation == "softmax":
                scores = ops.softmax(logits)[..., 1:]
            else:
                scores = ops.sigmoid(logits[..., 1:])
            return graph_nms.select(
                scores,
                answers["offsets"],
                anchors,
                card.variances,
                floor=floor,
                nms_iou=nms_iou,
                max_detections=CANDIDATES,  # all: how many are wanted is said with each call
            )

        network = load_network(model)
        _keep_exact(network)
        sizes = [1]
        while sizes[-1] < batch:
            sizes.append(2 * sizes[-1])
        return {size: backend.compile(network, select, (size, *card.input_size, 3)) for size in sizes}

    def _pieces(self, frames: Sequence[Frame]) -> Iterator[tuple[int, Sequence[Frame]]]:
        """Size of a graph and its frames: the largest while they fill it, then the smallest that suffices."""
        largest = max(self._graphs)
        for start in range(0, len(frames), largest):
            piece = frames[start : start + largest]
            yield min(size for size in self._graphs if size >= len(piece)), piece


def _detections(frame: Frame, selection: BatchSelection, row: int, max_detections: int) -> Detections:
    kept = slice(min(int(selection.counts[row]), max_detections))
    boxes = to_pixels(selection.boxes[row, kept], frame.height, frame.width)
    ids = (each[row, kept].astype(np.int32) for each in (selection.class_ids, selection.anchor_ids))
    class_ids, anchor_ids = ids
    return Detections(boxes, selection.scores[row, kept].copy(), class_ids, anchor_ids=anchor_ids)


def _chosen(precision: str, backend: Backend) -> str:
    """The precision to run in; bfloat16 unasked on GPUs that have units for it."""
    gpus = cuda_devices() if backend.on_gpu else ()
    is_old = bool(gpus) and gpus[0].capability < _FIRST_BFLOAT16
    if precision == "auto":
        return "bfloat16" if gpus and not is_old else "float32"
    if precision == "bfloat16" and is_old:
        raise EngineError(f"The {gpus[0].name} does not compute in bfloat16; choose --precision float32.")
    if precision not in _POLICIES:
        raise EngineError(f"Only the OpenVINO engine runs {precision} models; choose --precision auto.")
    return precision


def _keep_exact(network: keras.Model) -> None:
    """Leaves in float32 what bfloat16 would cost most (see `exact_layers`)."""
    kernels = [layer for layer in network.layers if hasattr(layer, "kernel")]
    work = [np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:3]) for layer in kernels]
    large = kernels[leading(work) :]
    stem = network.layers[: network.layers.index(large[0])] if large else network.layers
    answers = [layer for layer in kernels if layer.name.endswith(("_offsets", "_logits"))]
    for layer in [*stem, *answers]:
        layer.dtype_policy = "float32"


@contextmanager
def _policy(name: str) -> Iterator[None]:
    """Networks built inside compute in this precision."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
