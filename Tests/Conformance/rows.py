"""What the cases train on."""

LABELS = ["delivery", "fault", "praise"]
_TEXTS = [
    "where is my parcel", "the lamp is broken", "thank you for the kind help", "the order has not come", "it does not switch on",
    "what a lovely shop", "my package is late", "the screen is cracked", "best service there is", "has it been sent at all",
    "the handle came off", "I will come again",
]  # fmt: skip
COUNT = 48
ROWS = {
    "text": [f"{_TEXTS[row % 12]}, {['please', 'really', 'today', 'again'][row // 12]}" for row in range(COUNT)],
    "label": [LABELS[row % 3] for row in range(COUNT)],
}
HEAD = dict(kind="mlp", hidden=16, dropout=0.2, rate=0.01, seed=5)


def batch(step):
    """Sixteen rows, going round."""
    return dict(data="rows", row=[(step * 16 + i) % COUNT for i in range(16)])
