"""SSDs out of Caffe models: on VGG16, and the MobileNet-SSD; no Caffe is needed."""

from pathlib import Path
from typing import Any

from detector.anchors import AnchorLayout
from detector.errors import ImportFileError
from detector.importers.caffe_anchors import prior_layout, variances
from detector.importers.caffe_file import Net, read_caffemodel, read_prototxt
from detector.importers.caffe_maps import map_sizes
from detector.importers.caffe_names import Plan, find_plan, is_vgg_backbone
from detector.importers.caffe_units import gather_units
from detector.importers.imported import Imported
from detector.importers.inspection import Array, Inspection
from detector.importers.said import Said
from detector.importers.settling import Found, Weights, settle
from detector.networks.architectures import Preprocessing

_EPSILON = 1e-5  # of our Caffe networks
_CENTER_SIZE = 2  # how the boxes of every SSD are coded


def import_caffe(path: Path, *, name: str, said: Said) -> Imported:
    """The SSD of a .caffemodel.

    Anchors, classes and pictures are what the prototxt says, and where there is none the model's own
    description of its layers.

    raises  ImportFileError when it is damaged, another network, or not what the person says
    """
    net = read_caffemodel(path)
    prototxt = said.prototxt or _beside(path)
    described = net if prototxt is None else read_prototxt(prototxt)
    plan = _plan(path, net)
    try:
        options, weights = _weights(path, net, plan)
    except ValueError as error:  # arrays that do not go together
        raise ImportFileError(f"{path.name} contradicts itself: {error}; fetch it again.") from error
    size = described.input_size or net.input_size
    try:
        layout, exact = _layouts(described, plan, size)
        card = _card(described)
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise ImportFileError(f"{(prototxt or path).name} describes its anchors badly: {error}.") from error
    notes = [] if prototxt is None else [f"Described by {prototxt}."]
    if layout != exact:
        notes.append("Its anchors are cut to whole pixels, as Caffe does; --anchors NAME takes them exact.")
    found = Found(
        what=plan.what,
        architecture=plan.architecture,
        sources=plan.sources,
        weights=weights,
        options=options,
        layout=layout,
        exact=exact,
        input_size=size,
        preprocessing=_preprocessing(net) or _preprocessing(described),
        card=card,
        notes=tuple(notes),
    )
    return settle(path, found, name=name, said=said)


def inspect_caffe(path: Path) -> Inspection:
    """raises  ImportFileError when it is damaged"""
    net = read_caffemodel(path)
    arrays = [
        Array(f"{layer.name} ({layer.kind}) {index}", array.shape)
        for layer in net.layers
        for index, array in enumerate(layer.arrays)
    ]
    form = "old form: 'layers', V1" if net.old_form else "new form: 'layer'"
    return Inspection(f"a Caffe model ({form})", arrays, _looks_like(path, net))


def _looks_like(path: Path, net: Net) -> str:
    try:
        return f"It looks like {_plan(path, net).what}."
    except ImportFileError as reason:
        return str(reason)


def _plan(path: Path, net: Net) -> Plan:
    names = [layer.name for layer in net.layers if layer.arrays]
    if plan := find_plan(layer.name for layer in net.layers if layer.kind != "PriorBox" and layer.arrays):
        return plan
    if is_vgg_backbone(names):
        raise ImportFileError(
            f"{path.name} is VGG16 with reduced fc6 and fc7, a backbone that predicts nothing by itself; "
            f"start a training from it: train --architecture ssd300-vgg16 --backbone-weights {path.name}."
        )
    convolutions = sum("onvolution" in layer.kind for layer in net.layers)
    priors = len(net.of_kind("PriorBox")) or "no"
    read = {name for layer in net.layers for name in layer.settings.bottom}
    ends = [name for layer in net.layers for name in layer.settings.top if name not in read]
    raise ImportFileError(
        f"{path.name} is a Caffe network of {convolutions} convolutions and {priors} PriorBox layers "
        f"that ends in {', '.join(ends[-3:]) or 'nothing'}; the SSDs that can be imported are "
        "SSD300 and SSD512 on VGG16 and MobileNet-SSD, whose layers have other names."
    )


def _beside(path: Path) -> Path | None:
    """The description of the same name, or `deploy.prototxt`, as published archives call it."""
    candidates = (path.with_suffix(".prototxt"), path.with_name("deploy.prototxt"))
    return next((each for each in candidates if each != path and each.is_file()), None)


def _weights(path: Path, net: Net, plan: Plan) -> tuple[dict[str, bool], Weights]:
    """With the options of the architecture that they are for."""
    units, others = gather_units(net)
    mobile = plan.architecture == "ssd300-mobilenet-v1-caffe"
    trunk = [unit for name, unit in units.items() if "mbox" not in name]
    unmerged = mobile and all(unit.is_normalised for unit in trunk)
    weights: dict[str, Any] = {}
    for theirs, unit in units.items():
        if (ours := plan.ours(theirs)) is None:
            raise ImportFileError(f"{path.name} has a convolution that {plan.what} has not: {theirs}.")
        is_trunk = "mbox" not in theirs
        weights |= unit.normalised(ours, _EPSILON) if unmerged and is_trunk else unit.folded(ours)
    for theirs, layer in others.items():
        if layer.kind not in ("Normalize", "NormalizeBBox") or (ours := plan.ours(theirs)) is None:
            raise ImportFileError(
                f"{path.name} has a layer that {plan.what} has not: {theirs} ({layer.kind})."
            )
        weights[f"{ours}/scale"] = layer.arrays[0].reshape(-1)
    return ({"folded": not unmerged} if mobile else {}), weights


def _layouts(
    described: Net, plan: Plan, size: tuple[int, int] | None
) -> tuple[AnchorLayout | None, AnchorLayout | None]:
    """The anchors in whole pixels and the exact ones, when the network is described and says its size."""
    priors = {
        plan.ours(layer.name.replace("_priorbox", "_loc")): layer for layer in described.of_kind("PriorBox")
    }
    wanted = [f"{source}_offsets" for source in plan.sources]
    if size is None or any(name not in priors for name in wanted):
        return None, None
    sizes = map_sizes(described, size)
    messages = [priors[name].settings.prior_box_param for name in wanted]
    cells = [sizes[priors[name].settings.bottom[0]] for name in wanted]
    whole, exact = (prior_layout(messages, cells, size, whole=each) for each in (True, False))
    return whole, exact


def _preprocessing(net: Net) -> Preprocessing | None:
    """What the layer that read pictures for training did with them."""
    for layer in net.layers:
        settings = layer.settings.transform_param
        if len(settings.mean_value) == 3:
            blue, green, red = settings.mean_value
            scale = settings.scale if settings.HasField("scale") else 1.0
            return Preprocessing("BGR", (blue, green, red), (scale, scale, scale))
    return None


def _card(described: Net) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    priors = [layer.settings.prior_box_param for layer in described.of_kind("PriorBox")]
    if priors:
        fields["variances"] = variances(priors)
    for layer in described.of_kind("DetectionOutput"):
        settings = layer.settings.detection_output_param
        if settings.code_type != _CENTER_SIZE:
            raise ImportFileError(
                "Its boxes are coded as corners; those of every SSD here as centre and size."
            )
        if settings.nms_param.HasField("nms_threshold"):
            fields["nms_iou"] = round(settings.nms_param.nms_threshold, 6)
        if settings.keep_top_k > 0:
            fields["max_detections"] = settings.keep_top_k
    return fields
