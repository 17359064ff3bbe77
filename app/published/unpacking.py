"""What of a fetched archive is to be imported."""

import shutil
import tarfile
from pathlib import Path

from detector.errors import DownloadError

_WEIGHTS = ".caffemodel"
_WANTED = (_WEIGHTS, "deploy.prototxt")


def unpacked(path: Path, folder: Path) -> list[Path]:
    """The file itself; of a tar archive its weights and what describes them, the weights first.

    Only plain files are taken, under their last name, so that no archive can write anywhere else.

    raises  DownloadError when the archive is damaged, or holds no weights or several
    """
    if not path.name.endswith((".tar.gz", ".tgz", ".tar")):
        return [path]
    taken = []
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = Path(member.name).name
                if not (member.isfile() and name.endswith(_WANTED)):
                    continue
                content = archive.extractfile(member)
                assert content is not None  # it is a plain file
                with (folder / name).open("wb") as target:
                    shutil.copyfileobj(content, target)
                taken.append(folder / name)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DownloadError(f"The archive {path.name} cannot be unpacked: {error}.") from error
    if sum(each.suffix == _WEIGHTS for each in taken) != 1:
        raise DownloadError(f"The archive {path.name} should hold one {_WEIGHTS}; it holds {_names(taken)}.")
    return sorted(taken, key=lambda each: each.suffix != _WEIGHTS)


def _names(paths: list[Path]) -> str:
    return ", ".join(each.name for each in paths) or "nothing of the kind"
