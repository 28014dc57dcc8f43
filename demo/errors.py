"""What can go wrong with the demo, in a sentence for whoever started it."""


class DemoError(Exception):
    """The demo cannot go on; the text says what to do."""
