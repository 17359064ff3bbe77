"""What happens where: zones and lines in the picture, who appears, leaves and crosses, and who is told."""

from app.events.regions import Line, Regions, Zone, read_regions
from app.events.rules import Event, Rules, Tally

__all__ = ["Event", "Line", "Regions", "Rules", "Tally", "Zone", "read_regions"]
