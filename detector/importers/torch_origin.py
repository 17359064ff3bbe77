"""What is common to all PyTorch SSDs: from the modules of an origin to the layers of a network of ours."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ImportFileError
from detector.importers.published_anchors import Fitting
from detector.importers.settling import Found
from detector.importers.torch_file import Checkpoint
from detector.networks.architectures import Preprocessing

Array = NDArray[np.float32]
# our names of the arrays of a batch normalisation
_NORMALISATION = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
_UNUSED = "num_batches_tracked"  # counts the steps of a training


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A published network.

    what           the network in words
    modules        our layer -> their module, or the array itself where it has no module
    sources        the layers that predict, finest map first
    layouts        anchors it may have; with several, those of VOC's sizes first, then COCO's
    preprocessing  None: the usual of the architecture
    card           further fields of the card
    heads          turns an array of a predictor, given the anchors of a cell, to our order; None: it has ours
    """

    what: str
    architecture: str
    modules: Mapping[str, str]
    sources: tuple[str, ...]
    layouts: tuple[str, ...]
    preprocessing: Preprocessing | None = None
    card: Mapping[str, Any] = field(default_factory=dict)
    heads: Callable[[Array, int], Array] | None = None

    def fits(self, names: set[str]) -> bool:
        """Whether a checkpoint has all its modules and no other."""
        modules = {name.rpartition(".")[0] for name in names}
        ours = set(self.modules.values())
        return ours <= modules | names and all(
            name in ours or name.rpartition(".")[0] in ours for name in names
        )


def unit(ours: str, convolution: str, normalisation: str) -> dict[str, str]:
    """A convolution and its normalisation."""
    return {ours: convolution, f"{ours}_norm": normalisation}


def predictors(sources: tuple[str, ...], offsets: str, logits: str) -> dict[str, str]:
    """The predictors of all maps, by patterns such as "loc.{}"."""
    pairs = ((kind, pattern) for kind, pattern in (("offsets", offsets), ("logits", logits)))
    return {
        f"{source}_{kind}": pattern.format(index)
        for kind, pattern in pairs
        for index, source in enumerate(sources)
    }


def translate(path: Path, checkpoint: Checkpoint, origin: Origin) -> Found:
    """The network under our names, with what the origin is known to have done.

    raises  ImportFileError when the file is damaged
    """
    try:
        weights = dict(_arrays(checkpoint, origin))
    except (ValueError, KeyError, OSError) as error:
        raise ImportFileError(f"{path.name} is damaged or not complete ({error}); fetch it again.") from error
    return Found(
        what=origin.what,
        architecture=origin.architecture,
        sources=origin.sources,
        weights=weights,
        fitting=_fitting(origin, weights),
        preprocessing=origin.preprocessing,
        card=origin.card,
    )


def _arrays(checkpoint: Checkpoint, origin: Origin) -> Iterator[tuple[str, Array]]:
    by_module: dict[str, list[str]] = {}
    for name in checkpoint.tensors:
        by_module.setdefault(name if name in origin.modules.values() else name.rpartition(".")[0], []).append(
            name
        )
    for ours, theirs in origin.modules.items():
        parts = {name.removeprefix(f"{theirs}."): checkpoint.array(name) for name in by_module[theirs]}
        for part, array in _variables(parts).items():
            if origin.heads is not None and ours.endswith(("_offsets", "_logits")):
                array = origin.heads(array, _anchors_of_a_cell(checkpoint, origin, ours))
            yield f"{ours}/{part}", array


def _variables(parts: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays of a module by Keras' names, and in Keras' order of axes."""
    if "running_mean" in parts:
        return {_NORMALISATION[part]: array for part, array in parts.items() if part != _UNUSED}
    if len(parts) == 1:
        (array,) = parts.values()
        if array.ndim == 1:
            return {"scale": array}
    kernel = parts["weight"]
    if kernel.ndim != 4:
        raise ValueError(f"a kernel of {kernel.ndim} axes")
    # (out, in, rows, columns); depthwise (channels, 1, rows, columns)
    is_depthwise = kernel.shape[1] == 1 and kernel.shape[0] > 1
    turned = kernel.transpose((2, 3, 0, 1) if is_depthwise else (2, 3, 1, 0))
    return {"kernel": np.ascontiguousarray(turned)} | ({"bias": parts["bias"]} if "bias" in parts else {})


def _anchors_of_a_cell(checkpoint: Checkpoint, origin: Origin, predictor: str) -> int:
    source = predictor.rpartition("_")[0]
    return checkpoint.tensors[f"{origin.modules[f'{source}_offsets']}.weight"].shape[0] // 4


def _fitting(origin: Origin, weights: Mapping[str, Array]) -> Fitting:
    """The anchors it may have; with 80 classes they can only be COCO's."""
    if len(origin.layouts) == 1:
        return Fitting({origin.layouts[0]: ""}, f"{origin.what} was published with one set of anchors")
    voc, coco = origin.layouts
    first = origin.sources[0]
    anchors = weights[f"{first}_offsets/bias"].size // 4
    if weights[f"{first}_logits/bias"].size == 81 * anchors:
        return Fitting({coco: ""}, "these weights were trained on COCO")
    return Fitting({voc: "trained on VOC", coco: "trained on COCO, or on COCO and then on others"})
