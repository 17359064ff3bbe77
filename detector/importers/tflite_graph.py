"""What a TFLite file holds: its operators in the order they run, and its constants as float arrays."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ImportFileError

# dtypes by their number in the TFLite schema; those that a constant of a network may have
_DTYPES = {0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 9: np.int8, 4: np.int64, 7: np.int16}


@dataclass(frozen=True, slots=True)
class Operator:
    """One step of the network; inputs and outputs are indices of tensors (-1: none).

    kind        "CONV_2D", "RESHAPE", ...; the own name of a custom operator
    activation  done in the same step: "NONE", "RELU6", ...
    options     of a custom operator
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    activation: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value that flows or a constant.

    dtype              None: one that no constant of a network has, such as text
    scale, zero_point  value = (stored - zero_point) * scale; one each, or one for each index of `axis`; empty
                       when stored as it is
    stored             the constant; None for a value that is computed
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None
    scale: NDArray[np.float32]
    zero_point: NDArray[np.int64]
    axis: int
    stored: NDArray[Any] | None

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest value that can be stored; infinite when stored as it is."""
        if self.scale.size != 1 or self.dtype is None:
            return -np.inf, np.inf
        limits = np.iinfo(self.dtype)
        lowest, highest = (
            float(self.scale[0]) * (int(limit) - int(self.zero_point[0]))
            for limit in (limits.min, limits.max)
        )
        return lowest, highest

    def values(self) -> NDArray[np.float32]:
        """The constant as float32.

        raises  ValueError when this is none
        """
        if self.stored is None:
            raise ValueError(f"{self.name} is no constant")
        if not self.scale.size:
            return self.stored.astype(np.float32)
        shape = [1] * len(self.shape)
        if self.scale.size > 1:
            shape[self.axis] = self.scale.size
        # whole numbers first: a 32-bit bias does not fit into float32
        centred = self.stored.astype(np.int64) - self.zero_point.reshape(shape)
        return (centred * self.scale.astype(np.float64).reshape(shape)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Graph:
    """The network of a TFLite file."""

    operators: tuple[Operator, ...]
    tensors: tuple[Tensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def channels(self, operator: Operator) -> int:
        """Channels of what an operator gives."""
        return self.tensors[operator.outputs[0]].shape[-1]

    def consumers(self, tensor: int) -> Iterator[Operator]:
        """The operators that read a tensor."""
        return (each for each in self.operators if tensor in each.inputs)

    def producer(self, tensor: int) -> Operator | None:
        """The operator that computes a tensor; None for a constant or an input."""
        return next((each for each in self.operators if tensor in each.outputs), None)

    def constant(self, tensor: int) -> NDArray[np.float32]:
        """A constant in float32, also where a DEQUANTIZE stands between it and its reader (float16 files)."""
        maker = self.producer(tensor)
        source = maker.inputs[0] if maker is not None and maker.kind == "DEQUANTIZE" else tensor
        return self.tensors[source].values()


def read_graph(path: Path) -> Graph:
    """Reads a TFLite file.

    raises  ImportFileError when it is truncated, damaged, or holds more than one network
    """
    content = path.read_bytes()
    _verify(content, path)
    try:
        return _graph(content, path)
    except (struct.error, IndexError, TypeError, ValueError) as error:
        raise ImportFileError(f"{path.name} is damaged: its parts do not fit; fetch it again.") from error


def _verify(content: bytes, path: Path) -> None:
    """LiteRT checks every offset of the file, which the schema's reader does not."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    try:
        # no delegates: they would rebuild the graph and write to stderr
        resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        Interpreter(model_content=content, experimental_op_resolver_type=resolver)
    except ValueError as error:
        words = " ".join(str(error).split())
        raise ImportFileError(
            f"{path.name} is damaged or not complete (LiteRT: {words}); fetch it again."
        ) from error


def _graph(content: bytes, path: Path) -> Graph:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    if len(model.subgraphs) != 1:
        raise ImportFileError(
            f"{path.name} holds {len(model.subgraphs)} networks in one; only one can be imported."
        )
    kinds = [_kind(code, _names(schema.BuiltinOperator)) for code in model.operatorCodes]
    activations = _names(schema.ActivationFunctionType)
    subgraph = model.subgraphs[0]
    return Graph(
        operators=tuple(_operator(each, kinds, activations) for each in subgraph.operators),
        tensors=tuple(_tensor(each, model.buffers[each.buffer].data) for each in subgraph.tensors),
        inputs=_indices(subgraph.inputs),
        outputs=_indices(subgraph.outputs),
    )


def _names(enumeration: type) -> dict[int, str]:
    return {number: name for name, number in vars(enumeration).items() if name.isupper()}


def _kind(code: Any, kinds: Mapping[int, str]) -> str:
    if code.customCode:
        return str(code.customCode.decode("utf-8", "replace"))
    number = max(code.builtinCode, code.deprecatedBuiltinCode)  # old files only know the second
    return kinds.get(number, f"operator {number}")


def _operator(operator: Any, kinds: Sequence[str], activations: Mapping[int, str]) -> Operator:
    fused = getattr(operator.builtinOptions, "fusedActivationFunction", 0)
    options: Mapping[str, Any] = {}
    if operator.customOptions is not None and len(operator.customOptions):
        from flatbuffers import flexbuffers

        decoded = flexbuffers.Loads(bytes(operator.customOptions))
        options = decoded if isinstance(decoded, dict) else {}
    return Operator(
        kind=kinds[operator.opcodeIndex],
        inputs=_indices(operator.inputs),
        outputs=_indices(operator.outputs),
        activation=activations.get(fused, f"activation {fused}"),
        options=options,
    )


def _tensor(tensor: Any, content: Any) -> Tensor:
    quantisation = tensor.quantization
    shape = tuple(int(side) for side in (() if tensor.shape is None else tensor.shape))
    dtype = np.dtype(_DTYPES[tensor.type]) if tensor.type in _DTYPES else None
    stored = None
    if content is not None and len(content) and dtype is not None:
        stored = np.frombuffer(bytes(content), dtype).reshape(shape)
    scale = _array(quantisation.scale if quantisation else None, np.float32)
    zero_point = _array(quantisation.zeroPoint if quantisation else None, np.int64)
    return Tensor(
        name=(tensor.name or b"").decode("utf-8", "replace"),
        shape=shape,
        dtype=dtype,
        scale=scale,
        zero_point=zero_point if zero_point.size else np.zeros(scale.size, np.int64),
        axis=int(quantisation.quantizedDimension) if quantisation else 0,
        stored=stored,
    )


def _array(values: Any, dtype: Any) -> NDArray[Any]:
    return np.asarray([] if values is None else values, dtype)


def _indices(values: Any) -> tuple[int, ...]:
    return tuple(int(value) for value in (() if values is None else values))
