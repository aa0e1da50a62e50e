"""The exercises with their solutions: read as text by `ladder`, copied into a learner's folder."""
