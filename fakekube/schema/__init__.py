"""Schemas of custom resources: what they make of an object, and what they refuse."""

from fakekube.schema.check import check_schema
from fakekube.schema.structural import Structural

__all__ = ["Structural", "check_schema"]
