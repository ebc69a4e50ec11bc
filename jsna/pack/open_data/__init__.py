"""Open data of a pack as Explore Education Statistics takes them, and a check that it would."""
