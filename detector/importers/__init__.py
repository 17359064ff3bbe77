"""Other people's weights as models of ours: one file an origin, recognised by its content."""

from pathlib import Path

from detector.errors import ImportFileError
from detector.importers.imported import Imported
from detector.importers.inspection import Inspection
from detector.importers.recognition import Kind, recognise
from detector.importers.said import Said

__all__ = ["Imported", "Inspection", "import_file", "inspect_file"]

# Files that can be named but not imported, and how to go on.
_REFUSED = {
    Kind.PROTOTXT: "describes a Caffe network without weights; import its .caffemodel with --prototxt {}",
    Kind.ARCHIVE: "is an archive; unpack it and import the file of weights that lies inside",
    Kind.KERAS_ARCHIVE: "is an archive of Keras 3; save the model there as .h5 and import that",
    Kind.NUMPY: "holds an array of NumPy, no network; import the file of weights itself",
    Kind.ONNX: "is an ONNX network; import the weights that it was made from (.pth, .h5, .caffemodel)",
    Kind.UNKNOWN: (
        "is no file of weights known here; what can be imported is a Caffe model, Keras .h5, "
        "PyTorch checkpoint, TFLite model, frozen TensorFlow graph or model.json of TensorFlow.js of an SSD"
    ),
}


def import_file(
    path: Path,
    *,
    name: str,
    classes_file: Path | None = None,
    architecture: str | None = None,
    anchors: str | None = None,
    input_size: tuple[int, int] | None = None,
    prototxt: Path | None = None,
) -> Imported:
    """A foreign file of weights as a model called `name`, not saved yet.

    classes_file, ...  what a person says about the file, see `Said`; needed where the file does not say it
    raises             ImportFileError in words when the file is missing, damaged, nothing we can run, or
                       other than the person says
    """
    said = Said(
        architecture=architecture,
        classes_file=classes_file,
        anchors=anchors,
        input_size=input_size,
        prototxt=prototxt,
    )
    kind = recognise(path)
    if kind is Kind.TFLITE:
        from detector.importers.tflite import import_tflite

        return import_tflite(path, name=name, said=said)
    if kind is Kind.CAFFEMODEL:
        from detector.importers.caffe import import_caffe

        return import_caffe(path, name=name, said=said)
    if kind is Kind.HDF5:
        from detector.importers.keras_ports import import_keras

        return import_keras(path, name=name, said=said)
    if kind is Kind.TORCH:
        from detector.importers.pytorch import import_pytorch

        return import_pytorch(path, name=name, said=said)
    if kind is Kind.FROZEN_GRAPH:
        from detector.importers.object_detection_api import import_object_detection

        return import_object_detection(path, name=name, said=said)
    if kind is Kind.GRAPH_MODEL:
        from detector.importers.object_detection_api import import_graph_model

        return import_graph_model(path, name=name, said=said)
    raise _refusal(path, kind)


def inspect_file(path: Path) -> Inspection:
    """What a file of weights holds and what it looks like; nothing is imported and nothing in it runs.

    raises  ImportFileError in words when the file is missing, damaged, or no file of weights
    """
    kind = recognise(path)
    if kind is Kind.TFLITE:
        from detector.importers.tflite import inspect_tflite

        return inspect_tflite(path)
    if kind is Kind.CAFFEMODEL:
        from detector.importers.caffe import inspect_caffe

        return inspect_caffe(path)
    if kind is Kind.HDF5:
        from detector.importers.keras_ports import inspect_keras

        return inspect_keras(path)
    if kind is Kind.TORCH:
        from detector.importers.pytorch import inspect_pytorch

        return inspect_pytorch(path)
    if kind is Kind.FROZEN_GRAPH:
        from detector.importers.object_detection_api import inspect_graph

        return inspect_graph(path)
    if kind is Kind.GRAPH_MODEL:
        from detector.importers.object_detection_api import inspect_graph_model

        return inspect_graph_model(path)
    raise _refusal(path, kind)


def _refusal(path: Path, kind: Kind) -> ImportFileError:
    if kind is Kind.PICKLE:
        from detector.importers.pickles import refusal

        return refusal(path)
    return ImportFileError(f"{path.name} {_REFUSED[kind].format(path.name)}.")
