"""Converts a model for OpenVINO in a process of its own: `python -m detector.engines.convert FOLDER OUT`.

FOLDER is the model's, OUT the file to write; the card is asked for as the parent has it in memory.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from detector.engines.child_process import work_for_parent
from detector.engines.exact_layers import leading
from detector.engines.graph_file import Graph, write_graph
from detector.engines.openvino_library import load_converter
from detector.model_store import Model, ModelCard, read_weights

_CONVOLUTIONS = ("Convolution", "GroupConvolution")


def convert(model: Model) -> Graph:
    """The network with its score activation, for one picture.

    The graph takes "pictures" (1, height, width, 3) uint8 in the card's channel order and gives "offsets"
    (1, A, 4) and "scores" (1, A, classes), float32, background left out. From a TensorFlow function of fixed
    shapes: Keras' own OpenVINO backend gives a graph two to three times slower.
    """
    openvino = load_converter()
    import tensorflow as tf

    from detector.networks.catalog import load_network

    network = load_network(model)
    is_softmax = model.card.score_activation == "softmax"

    def detect(pictures: Any) -> dict[str, Any]:
        answers = network(tf.cast(pictures, tf.float32), training=False)
        logits = answers["logits"]
        scores = tf.nn.softmax(logits)[..., 1:] if is_softmax else tf.sigmoid(logits[..., 1:])
        return {"offsets": answers["offsets"], "scores": scores}

    pictures = tf.TensorSpec((1, *model.card.input_size, 3), tf.uint8, name="pictures")
    converted = openvino.convert_model(tf.function(detect, input_signature=[pictures]))
    _keep_exact(converted, openvino)
    _keep_sums_apart(converted, openvino)
    converted.validate_nodes_and_infer_types()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.xml"
        # float16 on disk would cost accuracy that float32 and bfloat16 engines are compared to.
        openvino.save_model(converted, path, compress_to_fp16=False)
        return Graph(path.read_bytes(), np.fromfile(path.with_suffix(".bin"), np.uint8))


def _keep_exact(converted: Any, openvino: Any) -> None:
    """Marks what stays in float32 when the graph is compiled for bfloat16 (see `exact_layers`)."""
    convolutions = [node for node in converted.get_ordered_ops() if node.get_type_name() in _CONVOLUTIONS]
    work = [
        np.prod(node.input(1).get_shape()) * np.prod(node.output(0).get_shape()[2:]) for node in convolutions
    ]
    for node in convolutions[: leading(work)]:
        node.get_rt_info()["precise_0"] = ""  # OpenVINO's own mark, as its passes set it
    for node in convolutions:
        last = node
        if [user.get_type_name() for user in _users(node)] == ["Add"]:
            (last,) = _users(node)  # its bias
        if {user.get_type_name() for user in _users(last)} <= {"Transpose", "Reshape", "Concat"}:
            # An answer. OpenVINO computes what follows the last convolutions in float32, and fuses a limit
            # into the convolution before it: so limited, that one writes float32.
            places = last.output(0).get_target_inputs()
            exact = _unlimiting(last.output(0), openvino)
            for place in places:
                place.replace_source_output(exact)


def _keep_sums_apart(converted: Any, openvino: Any) -> None:
    """Keeps shortcuts, as of ResNet and MobileNet v2, from being added within a convolution before them.

    OpenVINO 2026.4 would fuse the two, and could not compile that in bfloat16 on a processor with AVX512-BF16
    and no AMX ("object is not initialized").
    """
    for node in converted.get_ordered_ops():
        if node.get_type_name() == "Add" and not _has_constant(node):
            for index, value in enumerate(node.input_values()):
                source = value.get_node()
                if source.get_type_name() in _CONVOLUTIONS or _has_constant(source):  # a bias was added
                    node.input(index).replace_source_output(_unlimiting(value, openvino))


def _has_constant(node: Any) -> bool:
    return "Constant" in [value.get_node().get_type_name() for value in node.input_values()]


def _unlimiting(value: Any, openvino: Any) -> Any:
    """What the value is, behind a limit that limits nothing: OpenVINO's passes stop at it."""
    largest = float(np.finfo(np.float32).max)
    return openvino.opset1.clamp(value, -largest, largest).output(0)


def _users(node: Any) -> list[Any]:
    return [place.get_node() for place in node.output(0).get_target_inputs()]


def main(folder: str, out: str) -> int:
    def work(card: dict[str, Any]) -> None:
        model = Model(ModelCard.from_json(card), Path(folder))
        read_weights(model)  # what is wrong with them is said before TensorFlow has loaded
        write_graph(Path(out), convert(model))

    return work_for_parent(work)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
