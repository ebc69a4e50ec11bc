"""``evidence.xlsx``: the pack's main tables as a workbook that keeps to the government's guidance on spreadsheets."""

from jsna.pack.workbook.write import write_workbook

__all__ = ["write_workbook"]
