"""Is SEND identified fairly here, and what does the area need? See docs/architecture.md for the rooms."""

WORKBENCH_VERSION = "0.1.0"
