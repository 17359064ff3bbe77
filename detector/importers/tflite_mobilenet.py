"""Finds the layers of an SSD MobileNet v1 in the graph of a TFLite file.

By following the graph, not by names, which differ from converter to converter: 35 convolutions one after the
other, and on six of their maps two predictors, of which one ends in a sigmoid.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from detector.importers.tflite_graph import Graph, Operator
from detector.networks.mobilenet_plan import SOURCES, Convolution, mobilenet_v1

# operators that hand on the values they get, at most cut to 0..6
_TRANSPARENT = ("QUANTIZE", "DEQUANTIZE", "CAST", "RELU6")


class ForeignNetworkError(Exception):
    """Message: what is different, to stand after "is no SSD MobileNet v1: "."""


@dataclass(frozen=True, slots=True)
class MobileNetSSD:
    """The operators of the network by the names of our layers.

    width            multiplies the channels of the trunk
    trunk            by layer, from the input to the smallest map
    offsets, logits  by the layer they predict from, finest map first
    post_process     decoding and NMS, where the file has them
    """

    width: float
    trunk: Mapping[str, Operator]
    offsets: Mapping[str, Operator]
    logits: Mapping[str, Operator]
    post_process: Operator | None


def find_mobilenet_ssd(graph: Graph) -> MobileNetSSD:
    """The layers of the one network this importer knows.

    raises  ForeignNetworkError that says what is different
    """
    if len(graph.inputs) != 1:
        raise ForeignNetworkError(f"it takes {len(graph.inputs)} inputs")
    convolutions = [each for each in graph.operators if each.kind in ("CONV_2D", "DEPTHWISE_CONV_2D")]
    predictors = [each for each in convolutions if _is_predictor(graph, each)]
    if not predictors:
        raise ForeignNetworkError(
            f"it predicts no boxes; its {len(convolutions)} convolutions may be a backbone or a classifier"
        )
    width, trunk = _trunk(graph, [each for each in convolutions if each not in predictors])
    return MobileNetSSD(
        width=width,
        trunk=trunk,
        offsets=_by_source(graph, trunk, [each for each in predictors if not _is_scored(graph, each)]),
        logits=_by_source(graph, trunk, [each for each in predictors if _is_scored(graph, each)]),
        post_process=next((o for o in graph.operators if o.kind == "TFLite_Detection_PostProcess"), None),
    )


def _trunk(graph: Graph, convolutions: list[Operator]) -> tuple[float, dict[str, Operator]]:
    usual = mobilenet_v1(1.0)
    if len(convolutions) != len(usual):
        raise ForeignNetworkError(
            f"it has {len(convolutions)} convolutions before its predictors, not {len(usual)}"
        )
    by_layer = {layer.name: operator for layer, operator in zip(usual, convolutions)}
    last = "Conv2d_13_pointwise"
    width = graph.channels(by_layer[last]) / next(each.channels for each in usual if each.name == last)
    given = graph.inputs[0]
    for layer, operator in zip(mobilenet_v1(width), convolutions):
        _check_convolution(graph, operator, layer, given)
        given = operator.outputs[0]
    return width, by_layer


def _check_convolution(graph: Graph, operator: Operator, layer: Convolution, given: int) -> None:
    origin = _origin(graph, operator.inputs[0])
    if origin != given:
        maker = graph.producer(origin)
        raise ForeignNetworkError(f"{maker.kind if maker else 'a constant'} stands before {layer.name}")
    if (operator.kind == "DEPTHWISE_CONV_2D") != layer.depthwise:
        raise ForeignNetworkError(f"{layer.name} is a {operator.kind}")
    _, rows, columns, _ = graph.tensors[given].shape
    expected = (-(-rows // layer.stride), -(-columns // layer.stride), layer.channels)
    if graph.tensors[operator.outputs[0]].shape[1:] != expected:
        raise ForeignNetworkError(
            f"{layer.name} gives {graph.tensors[operator.outputs[0]].shape[1:]}, not {expected}"
        )
    if graph.tensors[operator.inputs[1]].shape[1:3] != (layer.kernel, layer.kernel):
        raise ForeignNetworkError(f"the kernel of {layer.name} is not {layer.kernel}x{layer.kernel}")
    if not _is_cut_to_0_6(graph, operator):
        raise ForeignNetworkError(f"{layer.name} is not followed by ReLU6")


def _by_source(
    graph: Graph, trunk: Mapping[str, Operator], predictors: list[Operator]
) -> dict[str, Operator]:
    sources = {_origin(graph, each.inputs[0]): each for each in predictors}
    wanted = [trunk[source].outputs[0] for source in SOURCES]
    if set(sources) != set(wanted) or len(predictors) != len(wanted):
        raise ForeignNetworkError("its predictors do not sit on the six maps of that network")
    return {source: sources[tensor] for source, tensor in zip(SOURCES, wanted)}


def _is_predictor(graph: Graph, convolution: Operator) -> bool:
    """Whether its answers are put into rows, one an anchor."""
    return any(each.kind == "RESHAPE" for each in _downstream(graph, convolution.outputs[0], _TRANSPARENT))


def _is_scored(graph: Graph, predictor: Operator) -> bool:
    """Whether its answers go through a sigmoid."""
    passed = (*_TRANSPARENT, "RESHAPE", "CONCATENATION")
    return any(each.kind == "LOGISTIC" for each in _downstream(graph, predictor.outputs[0], passed))


def _is_cut_to_0_6(graph: Graph, convolution: Operator) -> bool:
    output = convolution.outputs[0]
    if convolution.activation == "RELU6" or any(each.kind == "RELU6" for each in graph.consumers(output)):
        return True
    # 8-bit training leaves it to the range of the answer: what is stored ends at 0 and at 6
    lowest, highest = graph.tensors[output].range
    return convolution.activation == "NONE" and lowest == 0 and 5.9 < highest < 6.1


def _downstream(graph: Graph, tensor: int, passed: tuple[str, ...]) -> Iterator[Operator]:
    """The operators a value reaches, through operators of the kinds `passed`."""
    for each in graph.consumers(tensor):
        yield each
        if each.kind in passed:
            yield from _downstream(graph, each.outputs[0], passed)


def _origin(graph: Graph, tensor: int) -> int:
    """Where a value comes from, before operators that only hand it on."""
    maker = graph.producer(tensor)
    if maker is None or maker.kind not in _TRANSPARENT:
        return tensor
    return _origin(graph, maker.inputs[0])
