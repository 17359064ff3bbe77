"""`models download`: from a name of the catalog to a model that is ready, and everything that is refused."""

import io
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.published.catalog import Published, find_published, read_catalog
from app.published.checking import recorded_sums_file
from app.published.unpacking import unpacked
from detector.anchor_layouts import LAYOUTS
from detector.errors import DownloadError, ModelError
from detector.model_store import find_model, list_models
from detector.networks.catalog import find_architecture
from detector.places import assets_folder, cache_folder
from main import main
from tests.app.weights_server import WeightsServer, drop_after, serving

pytestmark = pytest.mark.usefixtures("nothing_ships")

FILE = "coco_ssd_mobilenet_v1_quant.tflite"


@pytest.fixture
def server(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WeightsServer]:
    """Serves a real file of weights."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSD_STUDIO_CATALOG", "")  # so that it is as before when the test has ended
    with serving((shared / "models" / FILE).read_bytes()) as running:
        yield running


def list_it(folder: Path, server: WeightsServer, **other: Any) -> None:
    """The catalog is of one entry, `small`; other fields of the entry, or of its file, as given."""
    file = {"name": FILE, "addresses": [server.address("weights")], "sha256": server.sha256}
    entry = {
        "name": "small",
        "architecture": "ssd300-mobilenet-v1",
        "classes": None,
        "anchors": None,
        "origin": "a real server",
        "licence": "Apache-2.0",
        "files": [file | {name: other.pop(name) for name in file if name in other}],
        "preprocessing": {"channel_order": "RGB", "mean": [128.0] * 3},
        "thresholds": {"nms_iou": 0.6, "max_detections": 100},
    }
    path = folder / "catalog.json"
    path.write_text(json.dumps([entry | other]))
    os.environ["SSD_STUDIO_CATALOG"] = str(path)  # until the end of the test, see `server`


def test_a_download_ends_in_a_model_that_is_ready(
    server: WeightsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.ways["weights"] = drop_after(20 << 15)
    list_it(tmp_path, server)
    assert main(["models", "download", "small", "--json"]) == 0
    *progress, last = map(json.loads, capsys.readouterr().out.splitlines())
    model = find_model("small")
    assert last == {"model": "small", "card": str(model.card_path)}
    assert progress[0]["done"] == 0 and progress[-1]["done"] == progress[-1]["total"] == len(server.content)
    card = model.card
    assert (card.nms_iou, card.max_detections, card.licence) == (0.6, 100, "Apache-2.0")
    assert card.origin == f"a real server ({FILE}, sha256 {server.sha256})"
    assert not list(cache_folder().glob("downloads/*"))  # nothing twice on the disk
    assert [path for path, _ in server.asked] == ["weights"] * 2  # and nothing else was asked for


def test_the_first_digits_of_a_sum_will_do_where_no_more_are_published(
    server: WeightsServer, tmp_path: Path
) -> None:
    list_it(tmp_path, server, sha256=server.sha256[:8])
    assert main(["models", "download", "small"]) == 0


@pytest.mark.parametrize("sha256", ["0" * 64, "0" * 8])
def test_a_corrupted_file_is_deleted_unread(
    server: WeightsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], sha256: str
) -> None:
    list_it(tmp_path, server, sha256=sha256)
    server.content = b"PK\x03\x04 anything that an importer would choke on"
    assert main(["models", "download", "small"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "is another file (sha256" in said and "deleted unread" in said
    assert not list(cache_folder().glob("downloads/small/*")) and list_models() == []


def test_what_nobody_vouches_for_is_asked_for_by_the_person_and_then_remembered(
    server: WeightsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    list_it(tmp_path, server, sha256=None)
    command = ["models", "download", "small"]
    assert main(command) == 1
    assert "Nobody has published a checksum for 'small'" in capsys.readouterr().err
    assert server.asked == []
    assert main([*command, "--unverified"]) == 0
    assert json.loads(recorded_sums_file().read_text()) == {f"small/{FILE}": server.sha256}
    assert [model.name for model in list_models()] == ["small"]

    server.content = server.content[:-1] + b"!"
    assert main([*command, "--unverified", "--as", "again"]) == 1
    assert "what came under this name before" in capsys.readouterr().err


def test_a_name_that_is_taken_or_unknown_is_told_before_anything_is_fetched(
    server: WeightsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    list_it(tmp_path, server)
    command = ["models", "download", "small"]
    assert main(command) == 0
    server.asked.clear()
    for arguments, words in (
        (command, "There is a model 'small'"),
        ([*command[:2], "smal"], "did you mean 'small'?"),
    ):
        assert main(arguments) == 1
        assert words in capsys.readouterr().err
    assert server.asked == []


def test_what_needs_a_browser_is_told_with_the_command_that_follows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["models", "download", "ssd300-vgg16-voc0712-pierluigiferrari"]) == 1
    said = capsys.readouterr().err
    assert "open https://drive.google.com/open?id=121-kCXaOHOkJE_Kf5lKcJvC_5q1fYb_q" in said
    assert "models import FILE.h5 --as ssd300-vgg16-voc0712-pierluigiferrari" in said
    assert "--architecture ssd300-vgg16 --anchors ssd300-voc --classes" in said and "Traceback" not in said


def test_a_file_that_is_read_otherwise_than_its_origin_made_it_is_no_model(
    server: WeightsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    list_it(tmp_path, server, preprocessing={"channel_order": "BGR"})
    assert main(["models", "download", "small"]) == 1
    assert "was read as channel_order RGB, but its origin has BGR" in capsys.readouterr().err
    assert list_models() == []


def test_the_list_that_ships_says_nothing_that_the_program_does_not_know() -> None:
    entries = read_catalog()
    assert len(entries) >= 20
    for entry in entries:
        assert find_architecture(entry.architecture)
        assert entry.anchors is None or entry.anchors in LAYOUTS
        assert entry.classes is None or (assets_folder() / "labels" / f"{entry.classes}.txt").is_file()
        assert set(entry.thresholds) <= {"min_score", "nms_iou", "max_detections"}
        assert set(entry.preprocessing) <= {"channel_order", "mean", "scale"}
        for file in entry.files:
            assert all(address.startswith("https://") for address in file.addresses)
    torchvision = find_published("ssdlite320-mobilenet-v3-coco-torchvision").files[0]
    assert torchvision.name.endswith(f"-{torchvision.sha256}.pth")  # the file's own name says its sum


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("{}", "must be a JSON list of objects"),
        ('[{"name": "a/b"}]', "the entry 'a/b' is wrong"),
        ('[{"name": "a", "files": [{"name": "../x", "addresses": ["https://x/y"]}]}]', "no plain file name"),
        ('[{"name": "a", "files": [{"name": "x", "addresses": ["ftp://x/y"]}]}]', "no http or https address"),
        ('[{"name": "a", "files": [{"name": "x", "sha256": "beef"}]}]', "is no sha256"),
    ],
)
def test_a_list_that_is_wrong_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "catalog.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=words):
        read_catalog(path)


def archive(path: Path, **members: bytes) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return path


def test_of_an_archive_only_weights_and_their_description_are_taken(tmp_path: Path) -> None:
    members = {"a/../../w.caffemodel": b"w", "a/deploy.prototxt": b"d", "a/train.py": b"x", "/etc/x.sh": b"y"}
    path = archive(tmp_path / "w.tar.gz", **members)
    (tmp_path / "room").mkdir()
    taken = unpacked(path, tmp_path / "room")
    assert [each.name for each in taken] == ["w.caffemodel", "deploy.prototxt"]
    assert sorted((tmp_path / "room").iterdir()) == sorted(taken)
    assert taken[0].read_bytes() == b"w"


def test_an_archive_that_cannot_be_used_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"should hold one \.caffemodel; it holds nothing of the kind"):
        unpacked(archive(tmp_path / "a.tar.gz", readme=b"hello"), tmp_path)
    two = archive(tmp_path / "b.tar.gz", **{"a.caffemodel": b"1", "b.caffemodel": b"2"})
    with pytest.raises(DownloadError, match=r"it holds a\.caffemodel, b\.caffemodel"):
        unpacked(two, tmp_path)
    (tmp_path / "c.tar.gz").write_bytes(two.read_bytes()[:60])
    with pytest.raises(DownloadError, match="cannot be unpacked"):
        unpacked(tmp_path / "c.tar.gz", tmp_path)


def test_an_entry_knows_its_size_only_where_all_sizes_are_published() -> None:
    assert find_published("mobilenet-ssd-voc-caffe").megabytes == pytest.approx(23.147564 + 0.029353)
    assert find_published("ssd300-vgg16-coco-torchvision").megabytes == 135.988
    assert find_published("ssd300-vgg16-voc-amdegroot").megabytes is None
    entry: Published = find_published("ssd300-vgg16-voc-amdegroot")
    assert not entry.is_checked and find_published("ssd300-vgg16-voc-caffe").is_checked
