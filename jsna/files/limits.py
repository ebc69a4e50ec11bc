"""How large an input may be before it is refused: far above any honest file, far below what stops a laptop."""

TEXT_BYTES = 2 << 30
LINE_BYTES = 1 << 20
XML_BYTES = 4 << 30
UNPACKED_BYTES = 4 << 30
# A census in XML packs at about 30 to 1; a bomb at 1,000 to 1.
UNPACKING_RATIO = 250
RATIO_FREE_BYTES = 16 << 20
ARCHIVE_MEMBERS = 10_000
WORKBOOK_BYTES = 512 << 20
