"""Values in values."""


def nested(depth):
    """Returns lists in lists, so many of them."""
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value
