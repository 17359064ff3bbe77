"""A model run by OpenVINO on the processor."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.anchors import generate
from detector.boxes import to_pixels
from detector.engines.devices import core_quota, processor_name, usable_cores
from detector.engines.engine import FLOOR, Timing
from detector.engines.graph_cache import cached_graph
from detector.engines.graph_file import Graph
from detector.engines.int8_graph import read_int8, require_int8
from detector.engines.openvino_library import library_version, load_openvino, the_core
from detector.engines.pictures import fill
from detector.errors import EngineError
from detector.model_store import Model
from detector.nms import select
from detector.values import Boxes, Detections, Frame, Pixels, Scores

logger = logging.getLogger(__name__)

_HINTS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVinoEngine:
    """See `detector.engines.Engine`. The graph takes one picture; of a batch, several are in flight."""

    def __init__(
        self,
        model: Model,
        *,
        precision: str,
        batch: int,
        notify: Callable[[str], None],
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        openvino, core = load_openvino(), the_core()
        self._card = model.card
        self._anchors = generate(model.card.anchors)
        capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._precision = choose_precision(precision, capabilities, model)
        graph = None
        if self._precision == "int8":
            graph = _read_int8(model, is_asked_for=precision == "int8")
            if graph is None:
                self._precision = _fastest_float(capabilities)
        if graph is None:
            version = library_version(openvino)
            graph = cached_graph(
                model, precision="float32", openvino_version=version, notify=notify, wanted=wanted
            )
        self._weights = graph.weights  # OpenVINO computes on these bytes and does not hold them
        shared = partial(openvino.Tensor, shared_memory=True)
        # what of an 8-bit network stays in floats
        floats = _fastest_float(capabilities) if self._precision == "int8" else self._precision

        def requests(hint: str, spare: int) -> list[_Request]:
            compiled = core.compile_model(network, "CPU", _properties(hint, floats))
            count = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") + spare
            return [_Request(compiled, shared) for _ in range(count)]

        try:
            network = core.read_model(graph.xml, shared(graph.weights))
            self._alone = requests("LATENCY", 0)[:1]
            # One request more than run at once: while it is filled or read out, the others compute.
            self._together = requests("THROUGHPUT", 1) if min(batch, usable_cores()) > 1 else []
        except RuntimeError as error:
            other = "--engine keras" if floats == "float32" else "--precision float32"
            reason = str(error).strip().splitlines()[-1]
            raise EngineError(
                f"OpenVINO cannot run the model '{model.name}' in {self._precision} ({reason}); "
                f"choose {other}."
            ) from error
        self._timing = Timing()
        black = Frame(np.zeros((*model.card.input_size, 3), np.uint8))
        for requested in (self._alone, self._together):
            self.detect([black] * len(requested))

    @property
    def device(self) -> str:
        return f"OpenVINO CPU {self._precision}"

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
        requests = self._together[: len(frames)] if len(frames) > 1 and self._together else self._alone
        found, resizing, waiting, selecting = [], 0.0, 0.0, 0.0
        for index in range(len(frames) + len(requests)):
            request = requests[index % len(requests)]
            started = perf_counter()
            if (done := index - len(requests)) >= 0:
                request.wait()
                waiting += (waited := perf_counter()) - started
                found.append(self._detections(request, frames[done], nms_iou, max_detections, floor))
                selecting += (started := perf_counter()) - waited
            if index < len(frames):
                fill(request.picture, frames[index], self._card.channel_order)
                resizing += (filled := perf_counter()) - started
                request.start()
                waiting += perf_counter() - filled
        self._timing = Timing(
            resize_ms=resizing * 1e3, network_ms=waiting * 1e3, selection_ms=selecting * 1e3
        )
        return found

    def close(self) -> None:
        self._alone, self._together = [], []

    def _detections(
        self,
        request: "_Request",
        frame: Frame,
        nms_iou: float | None,
        max_detections: int | None,
        floor: float,
    ) -> Detections:
        card = self._card
        kept = select(
            request.scores,
            request.offsets,
            self._anchors,
            card.variances,
            floor=floor,
            nms_iou=card.nms_iou if nms_iou is None else nms_iou,
            max_detections=card.max_detections if max_detections is None else max_detections,
        )
        boxes = to_pixels(kept.boxes, frame.height, frame.width)
        return Detections(boxes, kept.scores, kept.class_ids, anchor_ids=kept.anchor_ids)


def _read_int8(model: Model, *, is_asked_for: bool) -> Graph | None:
    """The 8-bit version; None, with a warning, when it cannot be used and nobody insists on it."""
    try:
        return read_int8(model)
    except EngineError as error:
        if is_asked_for:
            raise
        logger.warning("The 8-bit version is not used: %s", error)
        return None


class _Request:
    """One run of the graph, which reads and writes these arrays in place.

    picture  (height, width, 3) uint8
    scores   (A, classes) float32
    offsets  (A, 4) float32
    """

    def __init__(self, compiled: Any, tensor: Callable[[NDArray[Any]], Any]) -> None:
        request = compiled.create_infer_request()
        arrays = {}
        for port in (*compiled.inputs, *compiled.outputs):
            array = np.empty(port.shape, port.element_type.to_dtype())
            request.set_tensor(port, tensor(array))
            arrays[port.any_name] = array[0]
        self.picture: Pixels = arrays["pictures"]
        self.scores: Scores = arrays["scores"]
        self.offsets: Boxes = arrays["offsets"]
        self.start: Callable[[], None] = request.start_async
        self.wait: Callable[[], None] = request.wait


def choose_precision(asked: str, capabilities: Sequence[str], model: Model) -> str:
    """The precision to run in; unasked int8 where the model has that, else bfloat16 where it is fast.

    capabilities  of the processor, in OpenVINO's words. "WINOGRAD" stands for AVX-512: without it, "BF16"
                  only means that numbers can be converted
    raises        EngineError when the processor or the model has no such precision
    """
    if asked == "auto" and model.card.int8_sha256 and "INT8" in capabilities:
        return "int8"
    if asked == "auto":
        return _fastest_float(capabilities)
    if asked == "int8":
        require_int8(model)
    if asked == "bfloat16" and "BF16" not in capabilities:
        raise EngineError(
            f"This processor ({processor_name()}) does not compute in bfloat16; choose --precision float32."
        )
    return asked


def _fastest_float(capabilities: Sequence[str]) -> str:
    """bfloat16 where the processor multiplies in it: AMX or AVX512-BF16."""
    return "bfloat16" if {"BF16", "WINOGRAD"} <= set(capabilities) else "float32"


def _properties(hint: str, precision: str) -> dict[str, Any]:
    properties = {
        "PERFORMANCE_HINT": hint,
        # Always said: left alone, OpenVINO takes bfloat16 on some processors.
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        # Capturing, painting and encoding want the same cores: pinned threads wait for them, free ones move
        # on (MobileNet beside one busy thread on two cores: 95th percentile 27 ms pinned, 19 ms free).
        "ENABLE_CPU_PINNING": False,
    }
    quota = core_quota()
    if quota is not None and quota < usable_cores():
        properties["INFERENCE_NUM_THREADS"] = quota
    return properties
