"""One file a format: raw text and the place it stood, nothing interpreted."""
