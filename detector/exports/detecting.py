"""From one picture to kept boxes as one TensorFlow function: what every format is made of."""

from typing import Any

from detector.anchors import generate
from detector.model_card import ModelCard

FLOOR = 0.01  # lower scores are left out; whoever runs the file filters by the minimum score it likes


def detecting_module(card: ModelCard, network: Any) -> Any:
    """Network, score activation, decoding and NMS, of fixed shapes: no format needs a part of its own.

    network  as `load_network` gives it
    returns  a tf.Module that holds the weights, and the function as its attribute `detect`

    The function takes "pictures" (1, height, width, 3) uint8 in the card's channel order and gives, n being
    the card's most detections, the best first and past "count" padded:

    boxes      (1, n, 4) float32  x1, y1, x2, y2, fractions of the picture, may stick out of it
    scores     (1, n)    float32
    class_ids  (1, n)    int32    padding -1
    count      (1,)      int32    how many are real
    """
    import tensorflow as tf

    from detector.engines import graph_nms

    anchors = generate(card.anchors)
    is_softmax = card.score_activation == "softmax"

    def detect(pictures: Any) -> dict[str, Any]:
        answers = network(tf.cast(pictures, tf.float32), training=False)
        logits = answers["logits"]
        scores = tf.nn.softmax(logits)[..., 1:] if is_softmax else tf.sigmoid(logits[..., 1:])
        kept = graph_nms.select(
            scores,
            answers["offsets"],
            anchors,
            card.variances,
            floor=tf.constant(FLOOR),
            nms_iou=tf.constant(card.nms_iou),
            max_detections=card.max_detections,
        )
        return {
            "boxes": kept.boxes,
            "scores": kept.scores,
            "class_ids": kept.class_ids,
            "count": kept.counts,
        }

    signature = [tf.TensorSpec((1, *card.input_size, 3), tf.uint8, name="pictures")]
    module = tf.Module()
    module.detect = tf.function(detect, input_signature=signature)
    module.weights = [each.value for each in network.weights]
    return module
