"""The official open files named in a catalogue, fetched into a dated, hashed folder that works offline afterwards."""
