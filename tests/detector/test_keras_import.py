"""SSDs out of Keras files: the real ones, and the ports' layouts written by h5py."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from detector.anchor_layouts import LAYOUTS
from detector.anchors import generate
from detector.class_names import known_class_names
from detector.errors import ImportFileError
from detector.importers import import_file, inspect_file
from detector.networks.catalog import build_network, new_card
from detector.networks.weights import assign_weights, weights_of
from detector.nms import select
from detector.pictures import read_picture

Arrays = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def street(shared: Path) -> Path:
    return shared / "models" / "ssd7" / "ssd7_udacity_480x300_full_model.h5"


@pytest.fixture(scope="module")
def signs(shared: Path) -> Path:
    return shared / "models" / "ssd7" / "ssd7_bigsign_400x300_weights.h5"


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("names")
    lists = {"street": "car truck pedestrian bicyclist light", "signs": "big_sign"}
    for name, words in lists.items():
        (folder / f"{name}.txt").write_text("\n".join(words.split()))
    return {name: folder / f"{name}.txt" for name in lists}


def assert_finite_boxes(imported: Any, picture: Path) -> None:
    card = imported.card
    network = build_network(card)
    assign_weights(network, imported.weights)
    image = keras.ops.image.resize(read_picture(picture)[..., ::-1].astype(np.float32), card.input_size)
    answers = network(image[None])
    logits, offsets = (np.asarray(answers[kind])[0] for kind in ("logits", "offsets"))
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    limits = {"floor": 0.01, "nms_iou": 0.45, "max_detections": 200}
    scores = (odds / odds.sum(axis=1, keepdims=True))[:, 1:]
    found = select(scores, offsets, generate(card.anchors), card.variances, **limits)
    assert len(found.scores) > 0 and np.isfinite(found.boxes).all()
    assert scores.mean() < 0.2  # it says little about most anchors, as a trained network does


def test_a_whole_ssd7_says_everything_but_its_class_names(
    street: Path, names: dict[str, Path], shared: Path
) -> None:
    with pytest.raises(ImportFileError, match=r"does not say what its 5 classes are called; name them"):
        import_file(street, name="x")
    imported = import_file(street, name="street", classes_file=names["street"])
    card = imported.card
    assert (card.architecture, card.input_size, card.variances) == ("ssd7", (300, 480), (1, 1, 1, 1))
    assert card.options == {"padded_predictors": False}  # 'valid' in its description
    assert card.anchors.map_shapes == ((35, 58), (16, 28), (7, 13), (2, 5))
    for mine, published in zip(card.anchors.maps, LAYOUTS["ssd7-300x480"].maps):
        np.testing.assert_allclose(mine.shapes, published.shapes)
    assert (card.channel_order, card.mean, card.scale) == ("RGB", (127.5,) * 3, (1 / 127.5,) * 3)
    assert_finite_boxes(imported, next((shared / "data" / "voc2007").rglob("*.jpg")))


def test_weights_alone_need_anchors_and_the_size_of_pictures(
    signs: Path, names: dict[str, Path], shared: Path
) -> None:
    said: dict[str, Any] = {"classes_file": names["signs"]}
    with pytest.raises(ImportFileError, match=r"which anchors .* --anchors: ssd7-300x480 \(scales"):
        import_file(signs, name="x", **said)
    said["anchors"] = "ssd7-300x480"
    with pytest.raises(ImportFileError, match=r"say it with --input-size HxW, height first"):
        import_file(signs, name="x", **said)
    imported = import_file(signs, name="signs", input_size=(300, 400), **said)
    assert imported.card.input_size == (300, 400) and imported.card.classes == ("big_sign",)
    assert imported.card.anchors.map_shapes == ((35, 48), (16, 23), (7, 10), (2, 4))
    assert "so it was in the port before 2018" in " ".join(imported.notes)
    assert_finite_boxes(imported, next((shared / "data" / "voc2007").rglob("*.jpg")))
    with pytest.raises(ImportFileError, match=r"has 1 \+ 1 classes .*street.txt names 5"):
        import_file(signs, name="x", input_size=(300, 400), **said | {"classes_file": names["street"]})


def test_the_arrays_of_a_real_file_are_listed(street: Path, signs: Path, shared: Path) -> None:
    for path, container in (
        (street, "a Keras 2.2.4 file, a whole model"),
        (signs, "2.1.1 file, weights alone"),
    ):
        seen = inspect_file(path)
        assert container in seen.container and "SSD7" in seen.looks_like
        kernels = {each.name: each.shape for each in seen.arrays if each.name.endswith("conv1/kernel:0")}
        assert next(iter(kernels.values())) == (5, 5, 3, 32)
    backbone = shared / "models" / "mobilenet_v1_0.25_224_no_top.h5"
    assert "--backbone-weights" in inspect_file(backbone).looks_like


# The layouts of the ports, as their own writers make them.


def write_keras_2(path: Path, layers: Arrays, config: Any = None) -> None:
    """A group for each layer, and in it again one of its name."""
    with h5py.File(path, "w") as file:
        group = file if config is None else file.create_group("model_weights")
        if config is not None:
            file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["keras_version"] = group.attrs["keras_version"] = b"2.0.8"
        group.attrs["layer_names"] = [name.encode() for name in layers]
        for name, arrays in layers.items():
            layer = group.create_group(name)
            stored = [f"{name}/{variable}:0" for variable in arrays]
            layer.attrs["weight_names"] = [each.encode() for each in stored]
            for place, array in zip(stored, arrays.values()):
                layer.create_dataset(place, data=array, compression=1)


def write_keras_1(path: Path, layers: Arrays) -> None:
    """Flat: the name of the layer again in the name of each array, and no version."""
    letters = {"kernel": "W", "bias": "b"}
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for name, arrays in layers.items():
            layer = file.create_group(name)
            stored = [f"{name}_{letters.get(variable, variable)}:0" for variable in arrays]
            layer.attrs["weight_names"] = [each.encode() for each in stored]
            for place, array in zip(stored, arrays.values()):
                layer.create_dataset(place, data=array, compression=1)


def stand_ins(architecture: str, classes: int) -> dict[str, Any]:
    """Arrays of the right shapes under our names, each of one value of its own: small once compressed."""
    card = new_card(architecture, name="x", classes=[f"class {n}" for n in range(classes)])
    arrays = weights_of(build_network(card))
    return {
        name: np.full(array.shape, index / 128, np.float32)
        for index, (name, array) in enumerate(arrays.items())
    }


def caffe_layers(ours: Mapping[str, Any], *, conf_suffix: str = "") -> dict[str, dict[str, Any]]:
    """The same under the names that Caffe gave them and the ports kept."""
    layers: dict[str, dict[str, Any]] = {"input_1": {}}
    for path, array in ours.items():
        layer, variable = path.split("/")
        if layer.endswith("_offsets"):
            layer = layer.replace("_offsets", "_mbox_loc")
        elif layer.endswith("_logits"):
            layer = layer.replace("_logits", "_mbox_conf")
        if layer == "conv4_3_norm":
            layers[layer] = {"conv4_3_norm_gamma" if not conf_suffix else "gamma": array}
            continue
        if layer.startswith("pool6_mbox"):
            layer, array = f"{layer}_flat", array[0, 0] if array.ndim == 4 else array
        if "_mbox_conf" in layer:
            layer += conf_suffix
        layers.setdefault(layer, {})[variable] = array
    return layers


def test_pierluigiferrari_s_ssd300_comes_back_array_for_array(tmp_path: Path) -> None:
    expected = stand_ins("ssd300-vgg16", 20)
    path = tmp_path / "VGG_VOC0712Plus_SSD_300x300.h5"
    write_keras_2(path, caffe_layers(expected))
    with pytest.raises(ImportFileError, match=r"--anchors: ssd300-voc \(trained on VOC\); ssd300-coco \(tra"):
        import_file(path, name="x")
    imported = import_file(path, name="x", anchors="ssd300-coco")
    assert imported.card.anchors == LAYOUTS["ssd300-coco"] and imported.card.channel_order == "BGR"
    assert imported.weights.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(imported.weights[name], array, err_msg=name)


def test_rykov8_s_files_of_keras_1_come_back_array_for_array(tmp_path: Path) -> None:
    """Six classes, so that its predictors are called ..._mbox_conf_6; the last map's are fully connected."""
    expected = stand_ins("ssd300-vgg16-v1", 5)
    path, fruit = tmp_path / "weights_SSD300.hdf5", tmp_path / "fruit.txt"
    fruit.write_text("apple\nbanana\ncherry\ndate\nelderberry\n")
    write_keras_1(path, caffe_layers(expected, conf_suffix="_6"))
    imported = import_file(path, name="x", classes_file=fruit)
    assert imported.card.anchors == LAYOUTS["ssd300-rykov8"]
    assert imported.card.mean == (103.939, 116.779, 123.68)
    for name, array in expected.items():
        np.testing.assert_array_equal(imported.weights[name], array, err_msg=name)


@pytest.fixture
def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves the comparison with the built network out: seconds each, and not what is asked below."""
    monkeypatch.setattr("detector.importers.settling._check", lambda *_: None)


def small(architecture: str, columns: int) -> dict[str, dict[str, Any]]:
    """The layers of a port with next to nothing in them."""
    last = ("conv9_2",) if architecture == "ssd300" else ("conv9_2", "conv10_2")
    sources = ("conv4_3_norm", "fc7", "conv6_2", "conv7_2", "conv8_2", *last)
    per_cell = (4, *[6] * (len(sources) - 3), 4, 4)
    layers = {"conv1_1": {"kernel": np.zeros((3, 3, 3, 64)), "bias": np.zeros(64)}}
    layers["conv4_3_norm"] = {"conv4_3_norm_gamma": np.zeros(512)}
    for source, count in zip(sources, per_cell):
        for kind, values in (("loc", 4), ("conf", columns)):
            arrays = {"kernel": np.zeros((1, 1, 1, count * values)), "bias": np.zeros(count * values)}
            layers[f"{source}_mbox_{kind}"] = arrays
    return layers


@pytest.mark.usefixtures("without_network")
def test_ssd512_ports_have_exact_anchors_and_those_of_81_classes_coco_s(tmp_path: Path) -> None:
    path = tmp_path / "ssd512.h5"
    write_keras_2(path, small("ssd512", 81))
    card = import_file(path, name="x").card
    assert card.anchors == LAYOUTS["ssd512-coco-exact"] and card.classes == known_class_names("coco")
    with pytest.raises(
        ImportFileError, match=r"trained on COCO: their anchors start at 20.48 pixels, not 35"
    ):
        import_file(path, name="x", anchors="ssd512-voc")


@pytest.mark.usefixtures("without_network")
def test_a_whole_model_says_its_anchors_and_its_byte_code_is_never_run(tmp_path: Path) -> None:
    scales = (0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05)
    ratios = ([1.0, 2.0, 0.5], *[[1.0, 2.0, 0.5, 3.0, 1 / 3]] * 3, [1.0, 2.0, 0.5], [1.0, 2.0, 0.5])
    boxes = [
        {"class_name": "AnchorBoxes", "config": {
            "name": f"boxes{index}", "this_scale": this, "next_scale": following, "aspect_ratios": each,
            "two_boxes_for_ar1": True, "coords": "centroids", "variances": [0.1, 0.1, 0.2, 0.2]}}
        for index, (this, following, each) in enumerate(zip(scales, scales[1:], ratios))
    ]  # fmt: skip
    pictures = {"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [None, 300, 300, 3]}}
    poison = {"class_name": "Lambda", "config": {"name": "evil", "function": ["4wEAAAAA", None, None]}}
    path = tmp_path / "whole.h5"
    write_keras_2(path, small("ssd300", 21), {"config": {"layers": [pictures, poison, *boxes]}})
    card = import_file(path, name="x").card
    assert card.anchors == LAYOUTS["ssd300-coco"] and card.variances == (0.1, 0.1, 0.2, 0.2)
    with pytest.raises(ImportFileError, match="says itself which anchors it has"):
        import_file(path, name="x", anchors="ssd300-voc")
    with pytest.raises(ImportFileError, match=r"takes pictures of 300x300 .* not 512x512"):
        import_file(path, name="x", input_size=(512, 512))


@pytest.mark.usefixtures("without_network")
@pytest.mark.parametrize(
    "change",
    [
        {"variances": "much"},
        {"variances": [0.1, None, 1, 1]},
        {"this_scale": "NaN"},
        {"this_scale": -1},
        {"aspect_ratios": [0]},
        {"aspect_ratios": None},
        {"coords": "minmax"},
        {"two_boxes_for_ar1": []},
    ],
)
def test_a_description_that_cannot_be_meant_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    usual = {"this_scale": 0.1, "next_scale": 0.2, "aspect_ratios": [1.0, 2.0, 0.5],
             "two_boxes_for_ar1": True, "coords": "centroids", "variances": [0.1, 0.1, 0.2, 0.2]}  # fmt: skip
    boxes = [{"class_name": "AnchorBoxes", "config": {"name": f"b{n}", **usual, **change}} for n in range(6)]
    pictures = {"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [None, 300, 300, 3]}}
    path = tmp_path / "odd.h5"
    write_keras_2(path, small("ssd300", 21), {"config": {"layers": [pictures, *boxes]}})
    with pytest.raises(ImportFileError) as error:
        import_file(path, name="x")
    assert "\n" not in str(error.value)


def test_what_is_no_ssd_of_the_ports_is_said_to_be_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    vgg = {name: {"kernel": np.zeros((1, 1, 1, 1)), "bias": np.zeros(1)}
           for name in ("conv1_1", "conv4_3", "conv5_3", "fc6", "fc7")}  # fmt: skip
    theano = small("ssd300", 21) | {"conv1_1": {"kernel": np.zeros((64, 3, 3, 3)), "bias": np.zeros(64)}}
    added = small("ssd300", 21) | {"conv2d_99": {"kernel": np.zeros((1, 1, 1, 1)), "bias": np.zeros(1)}}
    for layers, words in (
        (vgg, "a backbone that predicts nothing"),
        (theano, "Theano's order"),
        (added, "a layer that SSD300 on VGG16 has not: conv2d_99"),
    ):
        write_keras_2(path, layers)
        with pytest.raises(ImportFileError, match=words):
            import_file(path, name="x")
    with h5py.File(path, "w") as file:
        file.create_group("layers/conv2d/vars").create_dataset("0", data=np.zeros(3))
    with pytest.raises(ImportFileError, match="holds weights of Keras 3"):
        import_file(path, name="x")
    assert [each.shape for each in inspect_file(path).arrays] == [(3,)]


def test_arrays_that_lie_elsewhere_or_claim_the_whole_memory_are_refused(tmp_path: Path) -> None:
    """HDF5 can point into other files, and say of an empty array that it has a trillion numbers."""
    elsewhere, path = tmp_path / "secret.h5", tmp_path / "x.h5"
    with h5py.File(elsewhere, "w") as file:
        file.create_dataset("kernel", data=np.zeros((5, 5, 3, 32), np.float32))

    def write(fill: Any) -> None:
        with h5py.File(path, "w") as file:
            file.attrs["layer_names"] = [b"conv1"]
            layer = file.create_group("conv1")
            layer.attrs["weight_names"] = [b"conv1/kernel:0"]
            fill(layer.create_group("conv1"))

    link = h5py.ExternalLink(str(elsewhere), "/kernel")
    for fill in (
        lambda group: group.__setitem__("kernel:0", link),
        lambda group: group.create_dataset("kernel:0", (2**20, 2**20), np.float32, chunks=(1024, 1024)),
        lambda group: group.create_dataset("kernel:0", data=b"text"),
    ):
        write(fill)
        with pytest.raises(ImportFileError, match="damaged or not complete"):
            import_file(path, name="x")


def test_a_damaged_file_is_imported_or_refused_but_never_a_traceback(signs: Path, tmp_path: Path) -> None:
    content = signs.read_bytes()
    random = np.random.default_rng(0)
    path = tmp_path / "damaged.h5"
    refused = 0
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(8):  # the tables of HDF5 stand before the arrays they describe
            place = int(random.integers(0, 60_000))
            damaged[place] = random.integers(0, 256)
        path.write_bytes(damaged[: random.integers(len(content) // 2, len(content) + 1)])
        for look in (inspect_file, lambda file: import_file(file, name="x")):
            try:
                look(path)
            except ImportFileError as error:
                assert "\n" not in str(error)
                refused += 1
    assert refused >= 60
