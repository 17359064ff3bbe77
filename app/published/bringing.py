"""From a name of the catalog to a model that is ready."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from app.published.catalog import Published
from app.published.checking import check_sum, require_sum
from app.published.fetching import Patience, Progress, fetch
from app.published.unpacking import unpacked
from detector.errors import DownloadError
from detector.importers import import_file
from detector.model_store import Model, check_new_name, save_model
from detector.places import cache_folder


def bring(
    entry: Published,
    *,
    name: str | None = None,
    unverified: bool = False,
    force: bool = False,
    progress: Progress = lambda done, total: None,
    patience: Patience | None = None,
) -> tuple[Model, tuple[str, ...]]:
    """Fetches, checks, imports and saves.

    name        what to call the model; default: as in the catalog
    unverified  see `checking.check_sum`
    force       replaces a model of that name
    progress    see `fetching.fetch`; of the entry's files one after another
    returns     the model, and sentences about what the file is
    raises      DownloadError when it must be fetched by hand, cannot be fetched, or is not what was
                published; ImportFileError or ModelError when it cannot be made a model. What was fetched
                whole stays, so that another try does not fetch it again
    """
    name = name or entry.name
    check_new_name(name, force=force)
    if entry.by_hand:
        raise DownloadError(
            f"'{entry.name}' can only be fetched in a browser: open {entry.by_hand}, save the file, then "
            f"run: {entry.import_command(entry.files[0].name)}"
        )
    require_sum(entry, unverified=unverified)
    folder = cache_folder() / "downloads" / entry.name
    paths, sums = [], []
    for file in entry.files:
        paths.append(fetch(file, folder, progress=progress, patience=patience))
        sums.append(check_sum(paths[-1], entry, file, unverified=unverified))
    with tempfile.TemporaryDirectory(dir=folder) as room:
        weights, *others = [part for path in paths for part in unpacked(path, Path(room))]
        imported = import_file(
            weights,
            name=name,
            classes_file=entry.classes_file,
            architecture=entry.architecture,
            anchors=entry.anchors,
            prototxt=next((each for each in others if each.suffix == ".prototxt"), None),
        )
        card = entry.complete(imported.card)
        card = replace(card, origin=f"{card.origin} ({entry.files[0].name}, sha256 {sums[0]})")
        model = save_model(card, imported.weights, force=force)
    shutil.rmtree(folder, ignore_errors=True)
    return model, imported.notes
