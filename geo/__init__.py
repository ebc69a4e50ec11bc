"""Places: boundaries, lookups, maps. Knows nothing of SEND."""
