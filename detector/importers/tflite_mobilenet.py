"""Finds the layers of an SSD MobileNet v1 or v2 in the graph of a TFLite file.

By following the graph, not by names, which differ from converter to converter: convolutions one after the
other, in v2 with sums between them, and on six of their maps two predictors, of which one ends in a sigmoid.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from detector.importers.tflite_graph import Graph, Operator
from detector.model_card import Option
from detector.networks.mobilenet_plan import SOURCES, V2_SOURCES, Convolution, mobilenet_v1, mobilenet_v2

# architecture, the layers that predict, options, and the operators by layer
_Trunk: TypeAlias = tuple[str, tuple[str, ...], Mapping[str, Option], dict[str, Operator]]

# operators that hand on the values they get, at most cut to 0..6
_TRANSPARENT = ("QUANTIZE", "DEQUANTIZE", "CAST", "RELU6")


class ForeignNetworkError(Exception):
    """Message: what is different, to stand after "is no SSD MobileNet: "."""


@dataclass(frozen=True, slots=True)
class MobileNetSSD:
    """The operators of the network by the names of our layers.

    options          of the architecture
    trunk            by layer, from the input to the smallest map; separable predictors' first halves, too
    offsets, logits  by the layer they predict from, finest map first
    post_process     decoding and NMS, where the file has them
    """

    architecture: str
    options: Mapping[str, Option]
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
    halves = {
        each.outputs[0]: each
        for each in convolutions
        if each.kind == "DEPTHWISE_CONV_2D"
        and _readers(graph, each)
        and _readers(graph, each) <= _places(predictors)
    }
    outside = _places(predictors) | _places(halves.values())
    trunk = [each for each in convolutions if each.outputs[0] not in outside]
    if len(trunk) == len(mobilenet_v1(1.0)):
        architecture, sources, options, layers = _as_v1(graph, trunk)
    else:
        architecture, sources, options, layers = _as_v2(graph, trunk, is_lite=bool(halves))
    offsets = [each for each in predictors if not _is_scored(graph, each)]
    logits = [each for each in predictors if _is_scored(graph, each)]
    found = {"offsets": _by_source(graph, layers, sources, halves, offsets),
             "logits": _by_source(graph, layers, sources, halves, logits)}  # fmt: skip
    for kind, by_source in found.items():
        for source, predictor in by_source.items():
            if (half := halves.get(_origin(graph, predictor.inputs[0]))) is not None:
                layers[f"{source}_{kind}_depthwise"] = half
    return MobileNetSSD(
        architecture=architecture,
        options=options,
        trunk=layers,
        offsets=found["offsets"],
        logits=found["logits"],
        post_process=next((o for o in graph.operators if o.kind == "TFLite_Detection_PostProcess"), None),
    )


def _places(operators: Iterable[Operator]) -> set[int]:
    """What operators give, one value each."""
    return {each.outputs[0] for each in operators}


def _readers(graph: Graph, convolution: Operator) -> set[int]:
    """What is made of its answers."""
    kinds = ("CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "RESHAPE")
    return {
        each.outputs[0]
        for each in _downstream(graph, convolution.outputs[0], _TRANSPARENT)
        if each.kind in kinds
    }


def _as_v1(graph: Graph, convolutions: list[Operator]) -> _Trunk:
    by_layer = {layer.name: operator for layer, operator in zip(mobilenet_v1(1.0), convolutions)}
    last = "Conv2d_13_pointwise"
    usual = next(each.channels for each in mobilenet_v1(1.0) if each.name == last)
    width = graph.channels(by_layer[last]) / usual
    given = graph.inputs[0]
    for layer, operator in zip(mobilenet_v1(width), convolutions):
        _check_convolution(graph, operator, layer, given)
        given = operator.outputs[0]
    return "ssd300-mobilenet-v1", SOURCES, {"width": width, "folded": True}, by_layer


def _as_v2(graph: Graph, convolutions: list[Operator], *, is_lite: bool) -> _Trunk:
    plan = mobilenet_v2()
    if len(convolutions) != len(plan):
        raise ForeignNetworkError(
            f"it has {len(convolutions)} convolutions before its predictors, "
            f"not {len(mobilenet_v1(1.0))} or {len(plan)}"
        )
    given = graph.inputs[0]
    for layer, operator in zip(plan, convolutions):
        _check_convolution(graph, operator, layer, given)
        given = operator.outputs[0]
        if layer.is_summed:
            given = _sum(graph, given, layer.name)
    by_layer = {layer.name: operator for layer, operator in zip(plan, convolutions)}
    architecture = "ssdlite300-mobilenet-v2" if is_lite else "ssd300-mobilenet-v2"
    return architecture, V2_SOURCES, {"folded": True}, by_layer


def _sum(graph: Graph, given: int, name: str) -> int:
    """What comes of a block once its input is added."""
    sums = [each for each in _downstream(graph, given, _TRANSPARENT) if each.kind == "ADD"]
    if len(sums) != 1:
        raise ForeignNetworkError(f"nothing is added to {name}")
    return sums[0].outputs[0]


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
    if layer.is_linear != (not _is_cut_to_0_6(graph, operator)):
        if layer.is_linear:
            raise ForeignNetworkError(f"{layer.name} is followed by ReLU6")
        raise ForeignNetworkError(f"{layer.name} is not followed by ReLU6")


def _by_source(
    graph: Graph,
    trunk: Mapping[str, Operator],
    sources: tuple[str, ...],
    halves: Mapping[int, Operator],
    predictors: list[Operator],
) -> dict[str, Operator]:
    found = {}
    for each in predictors:
        read = _origin(graph, each.inputs[0])
        found[_origin(graph, halves[read].inputs[0]) if read in halves else read] = each
    wanted = [trunk[source].outputs[0] for source in sources]
    if set(found) != set(wanted) or len(predictors) != len(wanted):
        raise ForeignNetworkError("its predictors do not sit on the six maps of that network")
    return {source: found[tensor] for source, tensor in zip(sources, wanted)}


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
