"""Caffe networks written from their description: deploy prototxts of the published SSDs, with random weights.

The tests import them; `tests/oracles/caffe_parity.py` runs the same files in OpenCV 4.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from detector.importers.caffe_schema import net_message

VOC300 = ((30, 60), (60, 111), (111, 162), (162, 213), (213, 264), (264, 315))
COCO300 = ((21, 45), (45, 99), (99, 153), (153, 207), (207, 261), (261, 315))
VOC512 = (
    (35.84, 76.8), (76.8, 153.6), (153.6, 230.4), (230.4, 307.2), (307.2, 384.0), (384.0, 460.8),
    (460.8, 537.6),
)  # fmt: skip
MOBILENET = ((60, None), (105, 150), (150, 195), (195, 240), (240, 285), (285, 300))


def ssd_vgg(
    image: int, columns: int, sizes: Sequence[tuple[float, float]], *, min_score: float = 0.01
) -> str:
    """The deploy prototxt of SSD300 or SSD512."""
    text = [_head(f"VGG_VOC0712_SSD_{image}x{image}_deploy", image)]
    last = "data"
    for block, (count, channels) in enumerate(((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), start=1):
        for number in range(1, count + 1):
            last = _add(text, _convolution(f"conv{block}_{number}", last, channels, 3, pad=1))
        pool = {"kernel_size": 3, "stride": 1, "pad": 1} if block == 5 else {"kernel_size": 2, "stride": 2}
        last = _add(
            text, _layer(f"pool{block}", "Pooling", [last], {"pooling_param": {"pool": "MAX", **pool}})
        )
    last = _add(text, _convolution("fc6", last, 1024, 3, pad=6, dilation=6))
    last = _add(text, _convolution("fc7", last, 1024, 1))
    extras = [(6, 512, 2, 1), (7, 256, 2, 1), (8, 256, 1, 0), (9, 256, 1, 0)]
    if image == 512:
        extras = [(6, 512, 2, 1), (7, 256, 2, 1), (8, 256, 2, 1), (9, 256, 2, 1), (10, 256, 1, 1)]
    for number, channels, stride, pad in extras:
        last = _add(text, _convolution(f"conv{number}_1", last, channels // 2, 1))
        kernel = 4 if number == 10 else 3
        last = _add(text, _convolution(f"conv{number}_2", last, channels, kernel, stride=stride, pad=pad))
    norm = {
        "across_spatial": "false",
        "scale_filler": {"type": '"constant"', "value": 20},
        "channel_shared": "false",
    }
    _add(text, _layer("conv4_3_norm", "Normalize", ["conv4_3"], {"norm_param": norm}))
    sources = ["conv4_3_norm", "fc7", *(f"conv{number}_2" for number, *_ in extras)]
    steps = [8, 16, 32, 64, 100, 300] if image == 300 else [2**n for n in range(3, 10)]
    ratios = [[2], *[[2, 3]] * (len(sources) - 3), [2], [2]]
    _predict(text, sources, columns, sizes, ratios, steps, kernel=3)
    text.append(_output(columns, min_score=min_score, keep=200))
    return "".join(text)


def mobilenet_ssd(columns: int, *, merged: bool, min_score: float = 0.25) -> str:
    """The deploy prototxt of MobileNet-SSD; unmerged with BatchNorm and Scale behind every convolution."""
    text = [_head("MobileNet-SSD", 300)]
    pairs = ((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *[(1, 512)] * 5, (2, 1024), (1, 1024))
    last = _unit(text, "conv0", "data", 32, 3, merged, stride=2, pad=1)
    before = 32
    for number, (stride, channels) in enumerate(pairs, start=1):
        last = _unit(text, f"conv{number}/dw", last, before, 3, merged, stride=stride, pad=1, group=before)
        last = _unit(text, f"conv{number}", last, channels, 1, merged)
        before = channels
    for number, channels in ((14, 512), (15, 256), (16, 256), (17, 128)):
        last = _unit(text, f"conv{number}_1", last, channels // 2, 1, merged)
        last = _unit(text, f"conv{number}_2", last, channels, 3, merged, stride=2, pad=1)
    sources = ["conv11", "conv13", *(f"conv{number}_2" for number in (14, 15, 16, 17))]
    _predict(text, sources, columns, MOBILENET, [[2], *[[2, 3]] * 5], [0] * 6, kernel=1)
    text.append(_output(columns, min_score=min_score, keep=100))
    return "".join(text)


def write_caffemodel(
    path: Path, prototxt: str, *, seed: int, pixels: float, background: float, factor: float = 1.0
) -> None:
    """Random weights for a described network, beside its prototxt.

    pixels      deviation of the pictures' values, once prepared
    background  bias of the background's score: the higher, the fewer boxes
    factor      of the sums of BatchNorm, which Caffe divides by it
    """
    from google.protobuf import text_format

    random = np.random.default_rng(seed)
    net = net_message()()
    text_format.Parse(prototxt, net, allow_unknown_field=True)
    columns = next(
        each for each in net.layer if each.type == "DetectionOutput"
    ).detection_output_param.num_classes
    channels = {"data": 3}
    for layer in net.layer:
        inputs = channels.get(layer.bottom[0], 0) if layer.bottom else 0
        outputs = inputs
        if layer.type == "Convolution":
            outputs = layer.convolution_param.num_output
            for array in _kernel_and_bias(random, layer, inputs, pixels):
                if array.ndim == 1 and "_conf" in layer.name:
                    array.reshape(-1, columns)[:, 0] += background
                _add_blob(layer, array)
        elif layer.type == "BatchNorm":
            mean, variance = random.normal(0, 0.1, inputs), random.uniform(0.5, 1.5, inputs)
            for array in (mean * factor, variance * factor, np.array([factor])):
                _add_blob(layer, array)
        elif layer.type == "Scale":
            for array in (random.uniform(0.8, 1.2, inputs), random.normal(0, 0.1, inputs)):
                _add_blob(layer, array)
        elif layer.type == "Normalize":
            _add_blob(layer, random.uniform(10, 20, inputs))
        channels |= dict.fromkeys(layer.top, outputs)
    path.write_bytes(net.SerializeToString())
    path.with_suffix(".prototxt").write_text(prototxt)


def _kernel_and_bias(random: Any, layer: Any, inputs: int, pixels: float) -> Iterator[Any]:
    settings = layer.convolution_param
    group = settings.group or 1
    size = settings.kernel_size[0]
    shape = (settings.num_output, inputs // group, size, size)
    kernel = random.random(shape, np.float32)
    kernel -= 0.5
    spread = np.sqrt(24 / np.prod(shape[1:]))  # as He et al. for ReLU
    if "mbox" in layer.name:
        spread *= 0.2 if "_loc" in layer.name else 0.6
    kernel *= np.float32(spread / (pixels if layer.bottom[0] == "data" else 1))
    yield kernel
    if settings.bias_term or not settings.HasField("bias_term"):  # Caffe's default is true
        yield random.normal(0, 0.05, settings.num_output)


def _add_blob(layer: Any, array: Any) -> None:
    blob = layer.blobs.add()
    blob.data.append(np.ascontiguousarray(array, "<f4").tobytes())
    blob.shape.dim.extend(array.shape)


def _predict(
    text: list[str], sources: Any, columns: int, sizes: Any, ratios: Any, steps: Any, kernel: int
) -> None:
    pad = kernel // 2
    for source, (low, high), ratio, step in zip(sources, sizes, ratios, steps):
        anchors = 1 + (high is not None) + 2 * len(ratio)
        for kind, values in (("loc", 4), ("conf", columns)):
            name = f"{source}_mbox_{kind}"
            text.append(_convolution(name, source, anchors * values, kernel, pad=pad, relu=False))
            order = {"permute_param": {"order": [0, 2, 3, 1]}}
            text.append(_layer(f"{name}_perm", "Permute", [name], order))
            text.append(_layer(f"{name}_flat", "Flatten", [f"{name}_perm"], {"flatten_param": {"axis": 1}}))
        prior = {"min_size": low, "aspect_ratio": ratio, "flip": "true", "clip": "false",
                 "variance": [0.1, 0.1, 0.2, 0.2], "offset": 0.5}  # fmt: skip
        prior |= {"max_size": high} if high is not None else {}
        prior |= {"step": step} if step else {}
        text.append(
            _layer(f"{source}_mbox_priorbox", "PriorBox", [source, "data"], {"prior_box_param": prior})
        )
    for kind, axis in (("loc", 1), ("conf", 1), ("priorbox", 2)):
        suffix = "" if kind == "priorbox" else "_flat"
        bottoms = [f"{source}_mbox_{kind}{suffix}" for source in sources]
        text.append(_layer(f"mbox_{kind}", "Concat", bottoms, {"concat_param": {"axis": axis}}))


def _output(columns: int, *, min_score: float, keep: int) -> str:
    shape = {"reshape_param": {"shape": {"dim": [0, -1, columns]}}}
    text = _layer("mbox_conf_reshape", "Reshape", ["mbox_conf"], shape)
    text += _layer("mbox_conf_softmax", "Softmax", ["mbox_conf_reshape"], {"softmax_param": {"axis": 2}})
    text += _layer("mbox_conf_flatten", "Flatten", ["mbox_conf_softmax"], {"flatten_param": {"axis": 1}})
    settings = {
        "num_classes": columns, "share_location": "true", "background_label_id": 0,
        "nms_param": {"nms_threshold": 0.45, "top_k": 400}, "code_type": "CENTER_SIZE",
        "keep_top_k": keep, "confidence_threshold": min_score,
    }  # fmt: skip
    bottoms = ["mbox_loc", "mbox_conf_flatten", "mbox_priorbox"]
    return text + _layer("detection_out", "DetectionOutput", bottoms, {"detection_output_param": settings})


def _unit(
    text: list[str], name: str, bottom: str, channels: int, kernel: int, merged: bool, **settings: int
) -> str:
    bias = {} if merged else {"bias_term": "false"}
    text.append(_convolution(name, bottom, channels, kernel, relu=False, **settings, **bias))
    if not merged:
        text.append(_layer(f"{name}/bn", "BatchNorm", [name], {}, top=name))
        text.append(
            _layer(f"{name}/scale", "Scale", [name], {"scale_param": {"bias_term": "true"}}, top=name)
        )
    text.append(_layer(f"{name}/relu", "ReLU", [name], {}, top=name))
    return name


def _convolution(
    name: str, bottom: str, channels: int, kernel: int, *, relu: bool = True, **settings: Any
) -> str:
    text = _layer(
        name,
        "Convolution",
        [bottom],
        {"convolution_param": {"num_output": channels, "kernel_size": kernel, **settings}},
    )
    return text + (_layer(f"{name}_relu", "ReLU", [name], {}, top=name) if relu else "")


def _head(name: str, image: int) -> str:
    return f'name: "{name}"\ninput: "data"\ninput_shape {{ dim: 1 dim: 3 dim: {image} dim: {image} }}\n'


def _layer(name: str, kind: str, bottoms: Sequence[str], settings: Any, *, top: str | None = None) -> str:
    inputs = " ".join(f'bottom: "{each}"' for each in bottoms)
    return f'layer {{ name: "{name}" type: "{kind}" {inputs} top: "{top or name}" {_fields(settings)} }}\n'


def _fields(settings: Any) -> str:
    words = []
    for name, value in settings.items():
        if isinstance(value, dict):
            words.append(f"{name} {{ {_fields(value)} }}")
        else:
            words += [f"{name}: {each}" for each in (value if isinstance(value, list) else [value])]
    return " ".join(words)


def _add(text: list[str], layer: str) -> str:
    """Appends it and gives its name."""
    text.append(layer)
    return layer.split('"')[1]
