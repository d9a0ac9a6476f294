"""Speech engines: a caller's audio in, an agent's audio and tool requests out. One folder each; see `base`."""
