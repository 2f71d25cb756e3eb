"""Focal loss, in NumPy: what a head already gets right counts little, and rare labels count more.

Lin et al. 2017, https://arxiv.org/abs/1708.02002; the weights as in Cui et al. 2019, https://arxiv.org/abs/1901.05555.
"""

from typing import Callable, Mapping, Optional, Tuple

import numpy as np

from hidra import CallContext

Loss = Callable[[np.ndarray, np.ndarray, CallContext], Tuple[float, np.ndarray]]


def label_weights(counts: Mapping[str, int], beta: float = 0.99) -> Mapping[str, float]:
    """``(1 − β) / (1 − βⁿ)`` of a label with n rows, scaled so that a row's weight is 1 on average.

    β 0: all labels alike; towards 1: each as if it had as many rows as the others.
    """
    raw = {label: (1 - beta) / (1 - beta**count) if beta < 1 else 1 / count for label, count in counts.items()}
    mean = sum(raw[label] * count for label, count in counts.items()) / sum(counts.values())
    return {label: weight / mean for label, weight in raw.items()}


def focal(gamma: float = 2.0, weights: Optional[Mapping[str, float]] = None) -> Loss:
    """``−w (1 − p)^γ log p`` of the right label's probability p, and its gradients by the outputs, for ``@plugin.loss``.

    ``gamma`` 0 and no weights: cross-entropy.
    """

    def loss(outputs: np.ndarray, targets: np.ndarray, context: CallContext) -> Tuple[float, np.ndarray]:
        z = outputs.astype(np.float64)
        z -= z.max(1, keepdims=True)
        logarithms = z - np.log(np.exp(z).sum(1, keepdims=True))
        probabilities, rows = np.exp(logarithms), np.arange(len(z))
        log_p, p = logarithms[rows, targets], probabilities[rows, targets]
        missing = np.maximum(1 - p, 1e-12)
        w = 1.0 if weights is None else np.array([weights.get(label, 1.0) for label in context.labels])[targets]
        values = -w * missing**gamma * log_p
        # dL/dp · p, and dp/dz = p (δ − probabilities).
        slope = w * (gamma * p * missing ** (gamma - 1) * log_p - missing**gamma)
        gradients = -probabilities * slope[:, None]
        gradients[rows, targets] += slope
        return float(values.mean()), (gradients / len(z)).astype(np.float32)

    return loss


def macro_f1(outputs: np.ndarray, targets: np.ndarray, context: CallContext) -> Mapping[str, float]:
    """For ``@plugin.metrics``: the mean over labels, so that a rare one counts as much as a frequent one."""
    found, scores = outputs.argmax(1), []
    for label in np.union1d(found, targets):
        right = ((found == label) & (targets == label)).sum()
        scores.append(2 * right / ((found == label).sum() + (targets == label).sum()))
    return {"macro_f1": float(np.mean(scores)), "accuracy": float((found == targets).mean())}
