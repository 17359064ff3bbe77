"""SSDs out of Caffe models: against OpenCV 4's answers, and in words where something does not fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.anchor_layouts import LAYOUTS
from detector.class_names import known_class_names
from detector.errors import ImportFileError, OptionError
from detector.importers import import_file, inspect_file
from detector.importers.caffe_file import read_caffemodel
from detector.importers.caffe_schema import net_message
from tests.detector.caffe_networks import COCO300, VOC300, VOC512, mobilenet_ssd, ssd_vgg, write_caffemodel
from tests.oracles.caffe_parity import CASES, DATA, differences, make_environment, ours, prepared, run_there

Write = Callable[..., Path]


@pytest.mark.parametrize("name", ["ssd300", "mobilenet-ssd", "mobilenet-ssd-unmerged"])
def test_an_imported_network_answers_what_opencv_4_answered(name: str, tmp_path: Path) -> None:
    with np.load(DATA / f"{name}.npz") as results:
        measured = differences(ours(CASES[name], tmp_path), dict(results))
    assert_same(measured)


@pytest.mark.oracle
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CASES)
def test_an_imported_network_answers_what_opencv_4_answers(name: str, tmp_path: Path) -> None:
    python = make_environment(tmp_path / "environment")
    mine = ours(CASES[name], tmp_path)
    assert_same(differences(mine, run_there(python, tmp_path, prepared(CASES[name], mine["card"]))))


def assert_same(measured: dict[str, float]) -> None:
    assert measured["count"] >= 10 and measured["missing"] == 0
    assert max(measured["loc"], measured["conf"]) < 1e-4  # float32 summed in another order
    assert measured["boxes"] > 0.999 and measured["scores"] < 1e-4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("caffe")


@pytest.fixture(scope="module")
def mobilenet(folder: Path) -> Path:
    path = folder / "mobilenet.caffemodel"
    write_caffemodel(path, mobilenet_ssd(21, merged=True), seed=0, pixels=0.6, background=0)
    return path


def test_a_description_beside_the_model_is_used_and_said(mobilenet: Path) -> None:
    imported = import_file(mobilenet, name="voc")
    card = imported.card
    assert card.architecture == "ssd300-mobilenet-v1-caffe" and card.options["folded"]
    assert card.anchors == LAYOUTS["mobilenet-ssd-caffe"] and card.classes == known_class_names("voc")
    assert (card.nms_iou, card.max_detections) == (0.45, 100)
    assert card.channel_order == "BGR" and card.variances == (0.1, 0.1, 0.2, 0.2)
    notes = " ".join(imported.notes)
    for words in (
        "MobileNet-SSD of Caffe",
        "300x300",
        "Described by",
        "taken for the 20 of VOC",
        "60 pixels",
    ):
        assert words in notes


def test_numbers_written_one_by_one_and_the_old_shape_read_the_same(mobilenet: Path, tmp_path: Path) -> None:
    """The wire format allows both, and files of 2014 have them."""
    net = net_message().FromString(mobilenet.read_bytes())
    plain = net_message(packed=False)()
    for layer in net.layer:
        copy = plain.layer.add(name=layer.name, type=layer.type)
        for blob in layer.blobs:
            shape = [*[1] * (4 - len(blob.shape.dim)), *blob.shape.dim]
            sides = dict(zip(("num", "channels", "height", "width"), shape))
            copy.blobs.add(data=np.frombuffer(blob.data[0], "<f4"), **sides)
    path = tmp_path / "plain.caffemodel"
    path.write_bytes(plain.SerializeToString())
    for one, other in zip(read_caffemodel(mobilenet).layers, read_caffemodel(path).layers):
        for array, same in zip(one.arrays, other.arrays, strict=True):
            np.testing.assert_array_equal(array.ravel(), same.ravel())
            assert same.ndim == 4


def small_vgg(path: Path, columns: int, sizes: Any, *, image: int = 300, described: bool) -> Path:
    """The heads and names of an SSD on VGG16 without its 100 MB: kernels are two numbers."""
    from google.protobuf import text_format

    net = net_message()()
    text_format.Parse(ssd_vgg(image, columns, sizes), net, allow_unknown_field=True)
    for layer in net.layer:
        if layer.type in ("Convolution", "Normalize"):
            outputs = layer.convolution_param.num_output if layer.type == "Convolution" else 1
            blob = layer.blobs.add(data=[np.zeros(2 * outputs, "<f4").tobytes()])
            blob.shape.dim.extend([outputs, 2, 1, 1])
    if not described:
        kept = [layer for layer in net.layer if layer.blobs]
        del net.layer[:], net.input[:], net.input_shape[:]
        net.layer.extend(kept)
    path.write_bytes(net.SerializeToString())
    return path


def card_of(path: Path, monkeypatch: pytest.MonkeyPatch, **said: Any) -> Any:
    """The card without the comparison with the network, which costs seconds and is not what is asked."""
    monkeypatch.setattr("detector.importers.settling._check", lambda *_: None)
    return import_file(path, name="x", **said).card


def test_anchors_are_what_the_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ssd.caffemodel"
    for sizes, layout in ((VOC300, "ssd300-voc"), (COCO300, "ssd300-coco")):
        card = card_of(small_vgg(path, 21, sizes, described=True), monkeypatch)
        assert card.anchors == LAYOUTS[layout]
        assert (card.channel_order, card.mean, card.scale) == ("BGR", (104, 117, 123), (1, 1, 1))


def test_anchor_sizes_are_cut_to_whole_pixels_as_caffe_does_unless_a_person_says_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small_vgg(tmp_path / "ssd.caffemodel", 21, VOC512, image=512, described=True)
    assert card_of(path, monkeypatch).anchors == LAYOUTS["ssd512-voc"]
    exact = card_of(path, monkeypatch, anchors="ssd512-voc-exact").anchors
    for mine, published in zip(exact.maps, LAYOUTS["ssd512-voc-exact"].maps):
        np.testing.assert_allclose(mine.shapes, published.shapes, rtol=1e-6)
    with pytest.raises(ImportFileError, match=r"its smallest have 35 pixels, those 20; leave --anchors out"):
        card_of(path, monkeypatch, anchors="ssd512-coco")


def test_without_a_description_anchors_are_asked_for_with_the_choices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small_vgg(tmp_path / "ssd.caffemodel", 21, VOC300, described=False)
    with pytest.raises(
        ImportFileError, match=r"--anchors: ssd300-voc \(trained on VOC\); ssd300-coco \(trained on COCO, or"
    ):
        import_file(path, name="x")
    deploy = tmp_path / "deploy.prototxt"
    deploy.write_text(ssd_vgg(300, 21, VOC300))
    assert card_of(path, monkeypatch).anchors == LAYOUTS["ssd300-voc"]
    deploy.unlink()
    assert card_of(path, monkeypatch, anchors="ssd300-coco").anchors == LAYOUTS["ssd300-coco"]
    with pytest.raises(
        ImportFileError, match=r"for 4, 6, 6, 6, 4, 4 anchors a cell, but ssd512-voc has 4, 6"
    ):
        import_file(path, name="x", anchors="ssd512-voc")
    with pytest.raises(OptionError, match="no anchors 'ssd300-vok', nor a file of that name; did you mean"):
        import_file(path, name="x", anchors="ssd300-vok")


def test_weights_of_81_classes_have_the_anchors_of_coco(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small_vgg(tmp_path / "ssd.caffemodel", 81, COCO300, described=False)
    card = card_of(path, monkeypatch)
    assert card.anchors == LAYOUTS["ssd300-coco"] and card.classes == known_class_names("coco")
    with pytest.raises(
        ImportFileError,
        match=r"these weights were trained on COCO: their anchors start at 21 pixels, not 30",
    ):
        import_file(path, name="x", anchors="ssd300-voc")
    voc = tmp_path / "voc.txt"
    voc.write_text("\n".join(known_class_names("voc")))
    with pytest.raises(ImportFileError, match=r"has 80 \+ 1 classes .*, but .*voc.txt names 20"):
        import_file(path, name="x", classes_file=voc)


def test_what_a_person_says_must_be_so(mobilenet: Path, tmp_path: Path) -> None:
    for said, words in (
        ({"architecture": "ssd300-vgg16"}, "holds ssd300-mobilenet-v1-caffe, not ssd300-vgg16"),
        ({"input_size": (512, 512)}, r"takes pictures of 300x300 \(height x width\), not 512x512"),
        ({"anchors": "tf-ssd-300"}, "says itself which anchors it has, and they are not tf-ssd-300"),
        ({"prototxt": tmp_path / "none.prototxt"}, "none.prototxt cannot be read: No such file"),
        ({"prototxt": Path(__file__)}, "describes no Caffe network"),
    ):
        with pytest.raises(ImportFileError, match=words) as error:
            import_file(mobilenet, name="x", **said)
        assert "\n" not in str(error.value)


def test_a_network_of_other_kernels_is_refused_by_the_name_of_the_first(
    mobilenet: Path, tmp_path: Path
) -> None:
    net = net_message().FromString(mobilenet.read_bytes())
    kernel = next(layer for layer in net.layer if layer.name == "conv5").blobs[0]
    kernel.data[:] = [np.zeros(256 * 64, "<f4").tobytes()]
    kernel.shape.dim[:] = [256, 64, 1, 1]
    path = tmp_path / "narrow.caffemodel"
    path.write_bytes(net.SerializeToString())
    with pytest.raises(ImportFileError, match=r"no ssd300-mobilenet-v1-caffe .*Conv2d_5_pointwise/kernel is"):
        import_file(path, name="x")


def test_a_layer_that_the_network_has_not_is_named(mobilenet: Path, tmp_path: Path) -> None:
    net = net_message().FromString(mobilenet.read_bytes())
    layer = net.layer.add(name="conv3/prelu", type="PReLU")
    layer.blobs.add(data=[np.zeros(3, "<f4").tobytes()]).shape.dim.append(3)
    path = tmp_path / "prelu.caffemodel"
    path.write_bytes(net.SerializeToString())
    with pytest.raises(ImportFileError, match=r"has not: conv3/prelu \(PReLU\)"):
        import_file(path, name="x")


def test_the_old_form_is_read_and_a_backbone_said_to_be_one(tmp_path: Path) -> None:
    """VGG16 with reduced fc layers came in the form of 2014: "layers", their type as a number."""
    net = net_message()(name="VGG_ILSVRC_16_layers")
    for name, shape in (
        ("conv1_1", (64, 3, 3, 3)), ("conv4_3", (2, 2, 3, 3)), ("conv5_3", (2, 2, 3, 3)),
        ("fc6", (4, 2, 3, 3)), ("fc7", (4, 4, 1, 1)),
    ):  # fmt: skip
        layer = net.layers.add(name=name, type="CONVOLUTION")
        for sides in (shape, (1, 1, 1, shape[0])):
            values = np.arange(np.prod(sides), dtype="<f4").tobytes()
            layer.blobs.add(data=[values], **dict(zip(("num", "channels", "height", "width"), sides)))
    path = tmp_path / "vgg.caffemodel"
    path.write_bytes(net.SerializeToString())
    read = read_caffemodel(path)
    assert read.old_form and [layer.kind for layer in read.layers] == ["Convolution"] * 5
    assert read.layers[0].arrays[0].shape == (64, 3, 3, 3)
    with pytest.raises(
        ImportFileError, match=r"a backbone .* train --architecture ssd300-vgg16 --backbone-weights"
    ):
        import_file(path, name="x")
    assert "old form" in inspect_file(path).container


def test_a_real_file_of_another_network_is_listed_and_refused_by_what_it_is(shared: Path) -> None:
    path = shared / "models" / "ultraface" / "RFB-320.caffemodel"
    seen = inspect_file(path)
    assert len(seen.arrays) == 104 and seen.numbers == 273_888
    first, bias = seen.arrays[:2]
    assert (first.name, first.shape) == ("245 (Convolution) 0", (16, 3, 3, 3))
    assert (bias.name, bias.shape) == ("245 (Convolution) 1", (16,))
    words = (
        r"52 convolutions and no PriorBox layers that ends in boxes, scores; the SSDs that can be imported"
    )
    with pytest.raises(ImportFileError, match=words):
        import_file(path, name="x")
    with pytest.raises(
        ImportFileError, match=r"describes a Caffe network without weights; import its .caffemodel"
    ):
        import_file(path.with_suffix(".prototxt"), name="x")


def test_a_damaged_file_is_imported_or_refused_but_never_a_traceback(
    mobilenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its arrays cut to a hundredth: what is damaged is the structure."""
    net = net_message().FromString(mobilenet.read_bytes())
    for layer in net.layer:
        for blob in layer.blobs:
            blob.data[:] = [blob.data[0][:16]]
            blob.shape.dim[:] = [4]
    content = net.SerializeToString()
    random = np.random.default_rng(0)
    path = tmp_path / "damaged.caffemodel"
    refused = 0
    for _ in range(300):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), 3):
            damaged[place] = random.integers(0, 256)
        path.write_bytes(damaged[: random.integers(len(content) // 2, len(content) + 1)])
        for look in (inspect_file, lambda file: import_file(file, name="x")):
            try:
                look(path)
            except ImportFileError as error:
                assert "\n" not in str(error)
                refused += 1
    assert refused > 100


def test_a_description_that_nests_without_end_is_refused(mobilenet: Path, tmp_path: Path) -> None:
    prototxt = tmp_path / "deep.prototxt"
    prototxt.write_text('name: "x" layer { ' + "a { " * 50_000)
    with pytest.raises(ImportFileError, match=r"deep.prototxt describes no Caffe network"):
        import_file(mobilenet, name="x", prototxt=prototxt)


def test_an_array_that_claims_to_be_larger_than_it_is_takes_no_memory(tmp_path: Path) -> None:
    net = net_message()(name="x")
    layer = net.layer.add(name="conv1_1", type="Convolution")
    layer.blobs.add(data=[bytes(16)]).shape.dim.extend([2**30, 2**30, 2**30])
    path = tmp_path / "huge.caffemodel"
    path.write_bytes(net.SerializeToString())
    with pytest.raises(ImportFileError, match="an array of 4 numbers is said to be 1073741824x"):
        import_file(path, name="x")


@pytest.mark.parametrize(
    ("theirs", "changed"),
    [
        ("min_size: 60", "min_size: -60"),
        ("min_size: 60", "min_size: nan"),
        ("min_size: 105", "min_size: inf"),
        ("aspect_ratio: 2", "aspect_ratio: 0"),
        ("offset: 0.5", "offset: 0.5 step: -8"),
        ("variance: 0.1", "variance: 0"),
        ("code_type: CENTER_SIZE", "code_type: CORNER"),
        ('bottom: "conv11" bottom: "data"', ""),
    ],
)
def test_a_description_that_cannot_be_meant_is_refused(
    mobilenet: Path, tmp_path: Path, theirs: str, changed: str
) -> None:
    text = mobilenet.with_suffix(".prototxt").read_text()
    assert theirs in text
    prototxt = tmp_path / "odd.prototxt"
    prototxt.write_text(text.replace(theirs, changed))
    with pytest.raises(ImportFileError) as error:
        import_file(mobilenet, name="x", prototxt=prototxt)
    assert "\n" not in str(error.value)
