"""Importing a model in the window: the command line's importer, in a process of its own."""

import pytest

from detector.model_store import list_models
from widgets.model_import import ModelImport


@pytest.mark.usefixtures("nothing_ships")
def test_a_real_model_is_imported_and_then_in_use(qtbot, open_window, shared):
    from widgets.model_chooser import ModelChooser

    window = open_window(ModelChooser())
    window.models.import_model()
    (dialog,) = window.findChildren(ModelImport)
    dialog._file.setText(str(shared / "models/coco_ssd_mobilenet_v1_quant.tflite"))
    assert dialog.name == "coco_ssd_mobilenet_v1_quant"
    dialog._name.setText("coco")
    dialog.start()
    qtbot.waitUntil(lambda: not window.findChildren(ModelImport))  # answered, it is gone
    assert [model.name for model in list_models()] == ["coco"]
    assert window.models.card.name == "coco"
    assert window.page.panel.model_button.text().strip() == "coco"
    assert "'coco' is there" in window.banner.words


def test_a_file_that_is_no_model_is_explained_in_the_form(qtbot, tmp_path):
    (tmp_path / "letter.tflite").write_text("dear all")
    dialog = ModelImport()
    qtbot.addWidget(dialog)
    dialog._file.setText(str(tmp_path / "letter.tflite"))
    dialog.show()
    dialog.start()
    qtbot.waitUntil(lambda: "letter.tflite" in dialog.words)
    assert dialog.isVisible() and "Traceback" not in dialog.words


def test_giving_up_ends_the_importer(qtbot, tmp_path):
    (tmp_path / "letter.tflite").write_text("dear all")
    dialog = ModelImport()
    qtbot.addWidget(dialog)
    dialog._file.setText(str(tmp_path / "letter.tflite"))
    dialog.show()
    dialog.start()
    process = dialog._child.process
    dialog.reject()
    assert process.state() == process.NotRunning


@pytest.mark.parametrize(
    ("file", "name"), [("My Model (v2).tflite", "my-model-v2"), ("ünïcode.h5", "n-code")]
)
def test_a_name_is_suggested_that_may_be_used(qtbot, file, name):
    dialog = ModelImport()
    qtbot.addWidget(dialog)
    dialog._file.setText(f"/models/{file}")
    assert dialog.name == name
