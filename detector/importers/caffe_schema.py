"""As much of Caffe's protobuf schema as an SSD needs: our own minimal one, by field numbers.

Everything else in a file is skipped. Of layers there are two forms: "layer" with its type as text, and until
2014 "layers" (V1) with its type as a number.

source  caffe.proto of the ssd branch
"""

from functools import cache
from typing import Any

from detector.importers.protobuf_schema import message_class

_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "Net": {
        "name": (1, "string"),
        "layers": (2, "V1Layer*"),
        "input": (3, "string*"),
        "input_dim": (4, "int32*"),
        "input_shape": (8, "Shape*"),
        "layer": (100, "Layer*"),
    },
    "Layer": {
        "name": (1, "string"),
        "type": (2, "string"),
        "bottom": (3, "string*"),
        "top": (4, "string*"),
        "blobs": (7, "Blob*"),
        "transform_param": (100, "Transformation"),
        "convolution_param": (106, "Convolution"),
        "pooling_param": (121, "Pooling"),
        "batch_norm_param": (139, "BatchNorm"),
        "input_param": (143, "Input"),
        "prior_box_param": (203, "PriorBox"),
        "detection_output_param": (204, "DetectionOutput"),
    },
    "V1Layer": {
        "bottom": (2, "string*"),
        "top": (3, "string*"),
        "name": (4, "string"),
        "type": (5, "V1Type"),
        "blobs": (6, "Blob*"),
        "convolution_param": (10, "Convolution"),
        "pooling_param": (19, "Pooling"),
        "transform_param": (36, "Transformation"),
    },
    "Blob": {
        "num": (1, "int32"),
        "channels": (2, "int32"),
        "height": (3, "int32"),
        "width": (4, "int32"),
        "data": (5, "bytes*"),  # packed floats as they lie, many times faster than number by number
        "shape": (7, "Shape"),
        "double_data": (8, "double#"),
    },
    "Shape": {"dim": (1, "int64#")},
    "Input": {"shape": (1, "Shape*")},
    "Transformation": {
        "scale": (1, "float"),
        "mean_value": (5, "float*"),
        "resize_param": (8, "Resize"),
    },
    "Resize": {"height": (3, "uint32"), "width": (4, "uint32")},
    "Convolution": {
        "num_output": (1, "uint32"),
        "bias_term": (2, "bool"),
        "pad": (3, "uint32*"),
        "kernel_size": (4, "uint32*"),
        "group": (5, "uint32"),
        "stride": (6, "uint32*"),
        "pad_h": (9, "uint32"),
        "pad_w": (10, "uint32"),
        "kernel_h": (11, "uint32"),
        "kernel_w": (12, "uint32"),
        "stride_h": (13, "uint32"),
        "stride_w": (14, "uint32"),
        "dilation": (18, "uint32*"),
    },
    "Pooling": {
        "kernel_size": (2, "uint32"),
        "stride": (3, "uint32"),
        "pad": (4, "uint32"),
        "kernel_h": (5, "uint32"),
        "kernel_w": (6, "uint32"),
        "stride_h": (7, "uint32"),
        "stride_w": (8, "uint32"),
        "pad_h": (9, "uint32"),
        "pad_w": (10, "uint32"),
        "global_pooling": (12, "bool"),
    },
    "BatchNorm": {"eps": (3, "float")},
    "PriorBox": {
        "min_size": (1, "float*"),
        "max_size": (2, "float*"),
        "aspect_ratio": (3, "float*"),
        "flip": (4, "bool"),
        "clip": (5, "bool"),
        "variance": (6, "float*"),
        "img_size": (7, "uint32"),
        "img_h": (8, "uint32"),
        "img_w": (9, "uint32"),
        "step": (10, "float"),
        "step_h": (11, "float"),
        "step_w": (12, "float"),
        "offset": (13, "float"),
    },
    "DetectionOutput": {
        "num_classes": (1, "uint32"),
        "nms_param": (4, "Suppression"),
        "code_type": (6, "CodeType"),
        "keep_top_k": (7, "int32"),
        "confidence_threshold": (9, "float"),
    },
    "Suppression": {"nms_threshold": (1, "float"), "top_k": (2, "int32")},
}
_ENUMERATIONS = {
    "V1Type": {
        "NONE": 0, "ACCURACY": 1, "BNLL": 2, "CONCAT": 3, "CONVOLUTION": 4, "DATA": 5, "DROPOUT": 6,
        "EUCLIDEAN_LOSS": 7, "FLATTEN": 8, "HDF5_DATA": 9, "HDF5_OUTPUT": 10, "IM2COL": 11, "IMAGE_DATA": 12,
        "INFOGAIN_LOSS": 13, "INNER_PRODUCT": 14, "LRN": 15, "MULTINOMIAL_LOGISTIC_LOSS": 16, "POOLING": 17,
        "RELU": 18, "SIGMOID": 19, "SOFTMAX": 20, "SOFTMAX_LOSS": 21, "SPLIT": 22, "TANH": 23,
        "WINDOW_DATA": 24, "ELTWISE": 25, "POWER": 26, "SIGMOID_CROSS_ENTROPY_LOSS": 27, "HINGE_LOSS": 28,
        "MEMORY_DATA": 29, "ARGMAX": 30, "THRESHOLD": 31, "DUMMY_DATA": 32, "SLICE": 33, "MVN": 34,
        "ABSVAL": 35, "SILENCE": 36, "CONTRASTIVE_LOSS": 37, "EXP": 38, "DECONVOLUTION": 39,
    },
    "CodeType": {"CORNER": 1, "CENTER_SIZE": 2, "CORNER_SIZE": 3},
}  # fmt: skip


@cache
def net_message(*, packed: bool = True) -> type[Any]:
    """The class of a whole network, `Net`; its fields are those of `_MESSAGES`.

    packed  False for files whose arrays are written number by number, which the wire format allows, too
    """
    blob = _MESSAGES["Blob"] | ({} if packed else {"data": (5, "float*")})
    return message_class("ssd_studio_caffe", _MESSAGES | {"Blob": blob}, _ENUMERATIONS, "Net")
