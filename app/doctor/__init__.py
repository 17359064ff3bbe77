"""Looks over this computer: what works, what does not, and what to do about it."""

from app.doctor.checks import examine
from app.doctor.findings import Finding, Rank

__all__ = ["Finding", "Rank", "examine"]
