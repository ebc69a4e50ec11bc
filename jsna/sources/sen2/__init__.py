"""The SEN2 person-level return, however it comes: XML, CSV blades, Excel template, workbook, sector tool's CSVs."""

from jsna.sources.sen2.read import Sen2, read_sen2

__all__ = ["Sen2", "read_sen2"]
