"""How large an input may be before it is refused: far above any honest file, far below what stops a laptop."""

TEXT_BYTES = 2 << 30
LINE_BYTES = 1 << 20
# As many columns as a spreadsheet has; the widest official file has a few hundred.
COLUMNS = 16_384
# Rows with another number of cells than the heading: past this many the file is not the table that it seems to be.
RAGGED_ROWS = 100_000
XML_BYTES = 4 << 30
# Bytes of XML between one tag and the next; a return has a few dozen.
XML_SILENCE = 1 << 20
XML_DEPTH = 256
UNPACKED_BYTES = 4 << 30
# A census in XML packs at about 30 to 1; a bomb at 1,000 to 1.
UNPACKING_RATIO = 250
RATIO_FREE_BYTES = 4 << 20
ARCHIVE_MEMBERS = 10_000
# The list of members that stands at a zip's end, with room for long names.
DIRECTORY_BYTES = 8 << 20
WORKBOOK_BYTES = 512 << 20
# Cells of the rectangle that a sheet fills: the reader of workbooks lays out all of it, empty cells too.
SHEET_CELLS = 20_000_000
