"""SSD MobileNet v1 out of TFLite files: a real one in 8 bits, and our own network written in every kind."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from detector.class_names import known_class_names
from detector.errors import ImportFileError, OptionError
from detector.importers import Imported, import_file
from detector.importers.tflite_graph import read_graph
from detector.model_store import read_weights, save_model
from detector.networks.catalog import build_network, load_network, new_card
from detector.networks.weights import assign_weights
from tests.detector.random_networks import random_weights

FRUIT = ("apple", "banana", "cherry", "date", "elderberry")
CARD = new_card(
    "ssd300-mobilenet-v1",
    name="fruit",
    classes=FRUIT,
    input_size=(160, 128),
    options={"width": 0.25, "folded": True},
)


@pytest.fixture(scope="module")
def coco_file(shared: Path) -> Path:
    return shared / "models" / "coco_ssd_mobilenet_v1_quant.tflite"


@pytest.fixture(scope="module")
def weights() -> dict[str, Any]:
    return random_weights(build_network(CARD), seed=5)


@pytest.fixture(scope="module")
def write_tflite(weights: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes our network as others do: by TensorFlow's converter, offsets as ty, tx, th, tw."""

    def swapped(array: Any) -> Any:
        by_anchor = array.reshape(*array.shape[:-1], -1, 4)
        return by_anchor[..., [1, 0, 3, 2]].reshape(array.shape)

    network = build_network(CARD)
    assign_weights(network, {name: swapped(a) if "_offsets/" in name else a for name, a in weights.items()})
    answers = [network.output["offsets"], keras.ops.sigmoid(network.output["logits"])]
    inner = keras.Model(network.get_layer("picture_scaling").output, answers)

    def write(name: str, prepare: Callable[[Any], None] = lambda converter: None) -> Path:
        path = tmp_path_factory.mktemp("tflite") / name
        path.write_bytes(_converted(inner, prepare))
        return path

    return write


@pytest.fixture(scope="module")
def float_file(write_tflite: Callable[..., Path]) -> Path:
    return write_tflite("fruit.tflite")


@pytest.fixture
def fruit_names(tmp_path: Path) -> Path:
    path = tmp_path / "fruit.txt"
    path.write_text("\n".join(FRUIT))
    return path


def test_the_coco_model_is_what_its_file_says(coco_file: Path) -> None:
    imported = import_file(coco_file, name="coco")
    card = imported.card
    assert card.architecture == "ssd300-mobilenet-v1"
    assert card.options == {"width": 0.75, "folded": True}
    assert card.input_size == (300, 300) and card.anchors.count == 1917
    assert card.classes == known_class_names("coco")
    assert card.score_activation == "sigmoid" and card.channel_order == "RGB"
    assert (card.mean, card.scale) == ((128.0,) * 3, (1 / 128,) * 3)  # its input: zero point 128, step 1/128
    assert card.variances == pytest.approx((0.1, 0.1, 0.2, 0.2))
    assert (card.min_score, card.nms_iou, card.licence) == (0.5, 0.45, "Apache-2.0")
    notes = " ".join(imported.notes)
    for fact in (
        "quantised",
        "300x300",
        "width 0.75",
        "1917 anchors",
        "90 classes",
        "coco-90.txt",
        "10 of them",
    ):
        assert fact in notes


def test_the_dequantised_weights_are_those_the_schema_gives(coco_file: Path) -> None:
    """LiteRT's own interpreter as oracle for two layers, cut to the 80 named classes."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(coco_file))
    interpreter.allocate_tensors()
    details = {each["name"]: each for each in interpreter.get_tensor_details()}

    def dequantised(name: str) -> Any:
        scale, zero = details[name]["quantization"]
        return (interpreter.get_tensor(details[name]["index"]).astype(np.float64) - zero) * scale

    weights = import_file(coco_file, name="coco").weights
    prefix = "FeatureExtractor/MobilenetV1/MobilenetV1/Conv2d_3_depthwise/"
    kernel = dequantised(f"{prefix}weights_quant/FakeQuantWithMinMaxVars")
    np.testing.assert_allclose(weights["Conv2d_3_depthwise/kernel"][..., 0], kernel[0], rtol=1e-6)
    bias = dequantised("BoxPredictor_1/ClassPredictor/Conv2D_bias").reshape(6, 91)
    ids = [0, *(k for k, name in enumerate(known_class_names("coco-90"), start=1) if name != "???")]
    np.testing.assert_allclose(
        weights["Conv2d_13_pointwise_logits/bias"], bias[:, ids].ravel(), rtol=1e-6, atol=1e-9
    )


def test_the_imported_network_finds_what_litert_finds(coco_file: Path, shared: Path) -> None:
    from tests.oracles.litert_parity import compare, pictures

    shown = list(pictures(shared / "video" / "one-by-one-person-detection.mp4", 6))
    computed, _ = compare(coco_file, shown)
    assert computed.boxes >= 2
    assert computed.misses == []


@pytest.mark.oracle
@pytest.mark.timeout(600)
def test_on_72_frames_97_percent_of_litert_s_boxes_are_ours(coco_file: Path, shared: Path) -> None:
    from tests.oracles.litert_parity import compare, pictures

    videos = sorted((shared / "video").glob("*.mp4"))
    shown = [picture for video in videos for picture in pictures(video, 24)]
    computed, as_in_file = compare(coco_file, shown)
    assert len(shown) >= 60 and computed.boxes >= 40
    assert computed.share >= 0.97
    assert as_in_file.share >= 0.99  # 51 of 51; the rest is the anchors that 8 bits have rounded


def assert_same_weights(imported: Imported, weights: dict[str, Any], tolerance: float) -> None:
    assert imported.weights.keys() == weights.keys()
    for name, expected in weights.items():
        # 8 bits of a channel: half a step of its largest value
        np.testing.assert_allclose(
            imported.weights[name], expected, atol=tolerance * float(np.abs(expected).max()), err_msg=name
        )


def test_a_float_file_of_our_own_comes_back_bit_for_bit(
    float_file: Path, fruit_names: Path, weights: dict[str, Any]
) -> None:
    imported = import_file(float_file, name="fruit", classes_file=fruit_names)
    assert_same_weights(imported, weights, 0)
    assert imported.card.anchors == CARD.anchors and imported.card.options == CARD.options
    assert (imported.card.mean, imported.card.scale) == (CARD.mean, CARD.scale)
    assert imported.card.licence == "unknown" and "fruit.tflite" in imported.card.origin

    model = save_model(imported.card, imported.weights)
    assert load_network(model).count_params() == sum(array.size for array in read_weights(model).values())


def _float16(converter: Any) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]


def _eight_bit_weights(converter: Any) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]


@pytest.mark.parametrize(
    ("prepare", "tolerance"), [(_float16, 2**-11), (_eight_bit_weights, 0.5 / 127 * 1.01)]
)
def test_files_with_small_weights_come_back_as_near_as_they_can(
    write_tflite: Callable[..., Path],
    fruit_names: Path,
    weights: dict[str, Any],
    prepare: Callable[[Any], None],
    tolerance: float,
) -> None:
    imported = import_file(write_tflite("small.tflite", prepare), name="x", classes_file=fruit_names)
    assert_same_weights(imported, weights, tolerance)


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning")
def test_a_file_in_8_bits_with_a_scale_for_each_channel_comes_back(
    write_tflite: Callable[..., Path], fruit_names: Path, weights: dict[str, Any]
) -> None:
    random = np.random.default_rng(0)

    def prepare(converter: Any) -> None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        samples = random.uniform(-1, 1, (4, 1, 160, 128, 3)).astype(np.float32)
        converter.representative_dataset = lambda: ([sample] for sample in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8

    path = write_tflite("bytes.tflite", prepare)
    scales = [tensor.scale.size for tensor in read_graph(path).tensors]
    assert max(scales) > 100  # one a channel
    imported = import_file(path, name="x", classes_file=fruit_names)
    assert_same_weights(imported, weights, 0.5 / 127 * 1.01)
    assert imported.card.mean == pytest.approx((127.5,) * 3, abs=1)


def test_names_come_from_the_file_when_it_carries_them(float_file: Path, tmp_path: Path) -> None:
    labelled = tmp_path / "labelled.tflite"
    labelled.write_bytes(float_file.read_bytes())
    with zipfile.ZipFile(labelled, "a") as archive:
        archive.writestr("labelmap.txt", "\n".join(("???", *FRUIT)))  # line 0 is background
    imported = import_file(labelled, name="x")
    assert imported.card.classes == FRUIT
    assert "Classes named by labelled.tflite itself." in imported.notes


def test_ids_without_a_name_are_left_out(float_file: Path, tmp_path: Path, weights: dict[str, Any]) -> None:
    names = tmp_path / "names.txt"
    names.write_text("apple\n???\ncherry\n???\nelderberry\n")
    imported = import_file(float_file, name="x", classes_file=names)
    assert imported.card.classes == ("apple", "cherry", "elderberry")
    assert "2 of them are ids without a name and are left out: 3 classes remain." in imported.notes
    bias = weights["Conv2d_14_3x3_logits/bias"].reshape(6, 6)[:, [0, 1, 3, 5]]
    np.testing.assert_array_equal(imported.weights["Conv2d_14_3x3_logits/bias"], bias.ravel())
    assign_weights(build_network(imported.card), imported.weights)


def test_names_that_are_missing_or_do_not_fit_are_asked_for(float_file: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ImportFileError, match="does not say what its 5 classes are called; name them with --classes"
    ):
        import_file(float_file, name="x")
    names = tmp_path / "four.txt"
    names.write_text("a\nb\nc\nd\n")
    with pytest.raises(ImportFileError, match=r"has 5 \+ 1 classes .*but .*four.txt names 4"):
        import_file(float_file, name="x", classes_file=names)
    with pytest.raises(OptionError, match="cannot be read as text"):
        import_file(float_file, name="x", classes_file=float_file)


def test_files_that_are_no_such_network_are_refused_in_words(float_file: Path, tmp_path: Path) -> None:
    content = float_file.read_bytes()
    cases = {
        "half.tflite": (content[: len(content) // 2], "damaged or not complete"),
        "start.tflite": (content[:40], "damaged or not complete"),
        "hello.txt": (b"hello, this is text", "no file of weights known here"),
        "empty.tflite": (b"", "is empty"),
        "weights.npy": (b"\x93NUMPY" + bytes(99), "holds an array of NumPy"),
    }
    for name, (written, words) in cases.items():
        (tmp_path / name).write_bytes(written)
        with pytest.raises(ImportFileError, match=words) as error:
            import_file(tmp_path / name, name="x")
        assert name in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(ImportFileError, match="cannot be read: No such file"):
        import_file(tmp_path / "none.tflite", name="x")
    with pytest.raises(ImportFileError, match="cannot be read: Is a directory"):
        import_file(tmp_path, name="x")


def test_a_damaged_file_is_imported_or_refused_but_never_a_traceback(
    float_file: Path, fruit_names: Path, tmp_path: Path
) -> None:
    content = float_file.read_bytes()
    random = np.random.default_rng(0)
    structure = 40_000  # the tables lie at both ends; a wrong byte among the weights only changes a weight
    path = tmp_path / "damaged.tflite"
    refused = 0
    for _ in range(100):
        damaged = bytearray(content)
        for _ in range(4):
            place = int(random.integers(0, structure))
            damaged[place if random.random() < 0.5 else -place - 1] = random.integers(0, 256)
        path.write_bytes(damaged)
        try:
            import_file(path, name="x", classes_file=fruit_names)
        except ImportFileError:
            refused += 1
    assert refused > 10


def test_another_network_is_said_to_be_another(shared: Path) -> None:
    backbone = shared / "models" / "mobilenet_v1_1.0_224_quant_embedding_extractor.tflite"
    with pytest.raises(ImportFileError, match="it predicts no boxes; its 27 convolutions may be a backbone"):
        import_file(backbone, name="x")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("relu", "Conv2d_0 is not followed by ReLU6"),
        pytest.param("kernel", "the kernel of Conv2d_14_3x3 is not 3x3", marks=pytest.mark.slow),
        ("shortcut", "ADD stands before Conv2d_8_pointwise"),
        pytest.param("short", "it has 33 convolutions before its predictors, not 35", marks=pytest.mark.slow),
    ],
)
def test_a_network_that_differs_a_little_is_not_taken_for_the_same(
    tmp_path: Path, change: str, words: str
) -> None:
    path = tmp_path / "other.tflite"
    path.write_bytes(_changed_network(change))
    with pytest.raises(ImportFileError, match=f"is no SSD MobileNet v1 .*: {words}"):
        import_file(path, name="x")


def _changed_network(change: str) -> bytes:
    """An SSD MobileNet v1 of 64x64 pixels and 2 classes with one thing changed."""
    from keras import layers

    from detector.networks.mobilenet_plan import SOURCES, mobilenet_v1

    x = pictures = keras.Input((64, 64, 3), batch_size=1)
    boxes, scores = [], []
    for name, kernel, stride, channels, depthwise, *_ in mobilenet_v1(0.25):
        if change == "short" and name.startswith("Conv2d_10"):
            continue
        if change == "kernel" and name == "Conv2d_14_3x3":
            kernel = 5
        before = x
        activation = "relu" if change == "relu" and name == "Conv2d_0" else "relu6"
        if depthwise:
            x = layers.DepthwiseConv2D(kernel, stride, padding="same", activation=activation)(x)
        else:
            x = layers.Conv2D(channels, kernel, stride, padding="same", activation=activation)(x)
        if change == "shortcut" and name == "Conv2d_8_depthwise":
            x = layers.Add()([before, x])
        if name in SOURCES:
            anchors = 3 if name == SOURCES[0] else 6
            boxes.append(layers.Reshape((-1, 4))(layers.Conv2D(4 * anchors, 1)(x)))
            scores.append(layers.Reshape((-1, 3))(layers.Conv2D(3 * anchors, 1)(x)))
    answers = [layers.Concatenate(1)(boxes), layers.Activation("sigmoid")(layers.Concatenate(1)(scores))]
    return _converted(keras.Model(pictures, answers))


def _converted(network: keras.Model, prepare: Callable[[Any], None] = lambda converter: None) -> bytes:
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    prepare(converter)
    content: bytes = converter.convert()
    return content
