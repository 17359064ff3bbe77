"""Downloading a model in the window: the command line's download, in a process of its own."""

import json

import pytest

from tests.app.weights_server import answer, serving, stall_at
from widgets.model_chooser import ModelChooser
from widgets.model_download import ModelDownload

FILE = "coco_ssd_mobilenet_v1_quant.tflite"


@pytest.fixture
def server(shared, tmp_path, monkeypatch):
    """Serves a real file of weights; the catalog that ships lists it, checked and unchecked."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving((shared / "models" / FILE).read_bytes()) as running:
        common = {"architecture": "ssd300-mobilenet-v1", "classes": None, "anchors": None, "licence": None}
        file = {"name": FILE, "addresses": [running.address("weights")]}
        entries = [
            {"name": "checked", "origin": "here", "files": [file | {"sha256": running.sha256}], **common},
            {"name": "loose", "origin": "here", "files": [file], **common},
            {"name": "manual", "origin": "there", "files": [{"name": "w.h5"}], **common}
            | {"by_hand": "https://example.org/w"},
        ]
        path = tmp_path / "catalog.json"
        path.write_text(json.dumps(entries))
        monkeypatch.setenv("SSD_STUDIO_CATALOG", str(path))
        yield running


def choose(dialog, name):
    (row,) = [k for k in range(dialog._list.count()) if dialog._list.item(k).text().startswith(name)]
    dialog._list.setCurrentRow(row)


def test_a_model_is_fetched_and_then_in_use(qtbot, open_window, server):
    window = open_window(ModelChooser())
    window.models.download_model()
    (dialog,) = window.findChildren(ModelDownload)
    choose(dialog, "checked")
    assert dialog._start.isEnabled() and not dialog._unverified.isVisible()
    dialog.start()
    qtbot.waitUntil(lambda: not window.findChildren(ModelDownload))  # answered, it is gone
    assert window.models.card.name == "checked"
    assert "'checked' is there and in use" in window.banner.words


def test_what_nobody_vouches_for_wants_a_tick_and_what_needs_a_browser_its_page(qtbot, server):
    dialog = ModelDownload()
    qtbot.addWidget(dialog)
    dialog.show()
    choose(dialog, "loose")
    assert dialog._unverified.isVisible() and not dialog._start.isEnabled()
    dialog._unverified.setChecked(True)
    assert dialog._start.isEnabled()
    choose(dialog, "manual")
    assert not dialog._start.isEnabled() and 'href="https://example.org/w"' in dialog.words


def test_a_download_that_fails_is_explained_and_can_be_tried_again(qtbot, server):
    dialog = ModelDownload()
    qtbot.addWidget(dialog)
    dialog.show()
    choose(dialog, "checked")
    server.ways["weights"] = answer(404)
    dialog.start()
    qtbot.waitUntil(lambda: "not there any more" in dialog.words)
    assert dialog.isVisible() and dialog._start.isEnabled()


def test_giving_up_ends_the_download(qtbot, server):
    dialog = ModelDownload()
    qtbot.addWidget(dialog)
    dialog.show()
    choose(dialog, "checked")
    server.ways["weights"] = stall_at(20 << 15)
    dialog.start()
    qtbot.waitUntil(lambda: "MB" in dialog.words)
    process = dialog._child.process
    dialog.reject()
    assert process.state() == process.NotRunning
