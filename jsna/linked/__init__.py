"""All counts that a pack shows, together, and which of them are hidden: made once, looked up by every chapter."""
