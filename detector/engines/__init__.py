"""How a model is run: `open_engine(model).detect(frames)`."""

from detector.engines.engine import FLOOR, Engine, Timing
from detector.engines.opening import DEVICES, ENGINES, PRECISIONS, open_engine

__all__ = ["DEVICES", "ENGINES", "FLOOR", "PRECISIONS", "Engine", "Timing", "open_engine"]
