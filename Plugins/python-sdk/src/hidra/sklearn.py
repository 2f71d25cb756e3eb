"""Estimators for scikit-learn, on texts: use them in a ``Pipeline``, ``GridSearchCV`` or ``cross_val_score``.

    from hidra.sklearn import HidraClassifier, HidraEncoder

    HidraClassifier("minilm").fit(texts, labels).predict(["my card has not arrived"])
    make_pipeline(HidraEncoder("minilm"), LogisticRegression())

Features are cached by the daemon: in a grid search each text is encoded once.
"""

from __future__ import annotations

import os
import secrets
import threading
import unicodedata
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d
except ImportError as error:
    raise ImportError("hidra.sklearn needs scikit-learn 1.6 or later: pip install 'hidra[sklearn]'") from error

from .client import Client
from .heads import HeadLike

_clients: Dict[Tuple[int, Optional[str]], Client] = {}
_clients_lock = threading.Lock()


def _client(home: Optional[str]) -> Client:
    """One for each home and process: estimators are cloned by the dozen, and pickled into other processes."""
    key = (os.getpid(), os.fspath(home) if home is not None else None)
    with _clients_lock:
        if key not in _clients:
            _clients[key] = Client(home)
        return _clients[key]


def _texts(X: Any, column: Optional[str]) -> List[str]:
    """The texts of a list, an array or Series ``[rows]``, or of one column of a frame or array ``[rows, columns]``."""
    if column is not None and hasattr(X, "columns"):
        if column not in X.columns:
            raise ValueError(f"X has no column {column!r}; it has {', '.join(map(repr, X.columns))}.")
        values = X[column]
    elif isinstance(X, str):
        raise ValueError("X is one text; it must be a list of texts.")
    else:
        values = X
    if hasattr(values, "toarray"):
        raise TypeError("Sparse data was passed for X, but texts are required.")
    array = np.asarray(values, dtype=object)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"Expected texts [rows], or one column of them; X has the shape {array.shape}. Reshape your data, or name the "
            "column of a frame with column=."
        )
    if len(array) == 0:
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
    for row, value in enumerate(array):
        if not isinstance(value, str):
            raise ValueError(f"Row {row + 1} of X is {value!r}; it must be a text.")
    return [str(value) for value in array]


class _TextInput(BaseEstimator):  # type: ignore[misc]
    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.no_validation = True
        return tags


class HidraEncoder(TransformerMixin, _TextInput):  # type: ignore[misc]
    """Texts to features, float32 ``[rows, width]``: those of ``Client.embed``.

    ``encoder``: a registered encoder; ``tap``: another of its layers; ``column``: of a frame; ``home``: of the daemon.
    """

    def __init__(
        self, encoder: str = "minilm", *, tap: str = "", column: Optional[str] = None, home: Optional[str] = None
    ) -> None:
        self.encoder = encoder
        self.tap = tap
        self.column = column
        self.home = home

    def fit(self, X: Any, y: Any = None) -> HidraEncoder:
        """Learns nothing: looks at the texts, and asks the encoder how wide its features are."""
        texts = _texts(X, self.column)
        self.n_features_out_ = self._embed(texts[:1]).shape[1]
        return self

    def transform(self, X: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
        return self._embed(_texts(X, self.column))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, np.dtype[Any]]:
        check_is_fitted(self)
        return np.asarray([f"{self.encoder}{i}" for i in range(self.n_features_out_)], dtype=object)

    def _embed(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        return _client(self.home).embed(self.encoder, texts, tap=self.tap, progress=False)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = []
        return tags


class HidraClassifier(ClassifierMixin, _TextInput):  # type: ignore[misc]
    """A head on a frozen encoder, trained by the daemon. Texts in, classes out.

    The settings are those of ``Client.train``; None means the daemon's default. ``name``: keep the head in the registry
    under this name, replacing one that is there; without a name it lives in this estimator alone. Either way the fitted
    estimator holds the whole head (``model_``, ONNX), so that pickles of it need only the encoder.
    """

    def __init__(
        self,
        encoder: str = "minilm",
        *,
        head: HeadLike = "linear",
        tap: str = "",
        hidden: Optional[int] = None,
        dropout: Optional[float] = None,
        epochs: Optional[int] = None,
        lr: Optional[float] = None,
        batch_size: Optional[int] = None,
        seed: Optional[int] = None,
        weight_decay: Optional[float] = None,
        warmup: Optional[float] = None,
        patience: Optional[int] = None,
        validation: Optional[float] = None,
        class_weights: bool = False,
        label_smoothing: Optional[float] = None,
        column: Optional[str] = None,
        name: Optional[str] = None,
        home: Optional[str] = None,
    ) -> None:
        self.encoder = encoder
        self.head = head
        self.tap = tap
        self.hidden = hidden
        self.dropout = dropout
        self.epochs = epochs
        self.lr = lr
        self.batch_size = batch_size
        self.seed = seed
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.patience = patience
        self.validation = validation
        self.class_weights = class_weights
        self.label_smoothing = label_smoothing
        self.column = column
        self.name = name
        self.home = home

    def fit(self, X: Any, y: Any) -> HidraClassifier:
        """Trains the head. ``y``: labels of any type that NumPy can sort."""
        texts = _texts(X, self.column)
        if y is None:
            raise ValueError("HidraClassifier requires y to be passed, but the target y is None.")
        target = column_or_1d(y, warn=True)
        if len(target) != len(texts):
            raise ValueError(f"Found input variables with inconsistent numbers of samples: {[len(texts), len(target)]}")
        check_classification_targets(target)
        classes, codes = np.unique(target, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"The classifier needs two classes or more; y has only one class, {classes.tolist()}.")
        labels = _labels(classes)
        client = _client(self.home)
        # Private heads go when they are exported; their names must not meet.
        name = self.name or f"sklearn-{secrets.token_hex(6)}"
        settings = {
            key: getattr(self, key)
            for key in (
                "head", "tap", "hidden", "dropout", "epochs", "lr", "batch_size", "seed", "weight_decay", "warmup",
                "patience", "validation", "class_weights", "label_smoothing",
            )
        }  # fmt: skip
        result = client.train(
            {"text": texts, "label": [labels[code] for code in codes.ravel()]}, encoder=self.encoder, name=name,
            replace=self.name is not None, progress=False, **settings,
        )  # fmt: skip
        try:
            self.model_ = client.export(name)
        finally:
            if self.name is None:
                client.remove(name)
        self.classes_ = classes
        # The daemon sorts labels as texts.
        self._outputs = np.asarray([result.head.labels.index(label) for label in labels])
        self.n_iter_ = result.best_epoch
        self.temperature_ = result.temperature
        return self

    def decision_function(self, X: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The head's outputs before the softmax, ``[rows, classes]``; of two classes their difference ``[rows]``."""
        outputs = self._run(X)
        return outputs[:, 1] - outputs[:, 0] if len(self.classes_) == 2 else outputs

    def predict_proba(self, X: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Probabilities ``[rows, classes]``, in the order of ``classes_``."""
        outputs = self._run(X).astype(np.float64) / self.temperature_
        exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))

    def predict_log_proba(self, X: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
        outputs = self._run(X).astype(np.float64) / self.temperature_
        outputs -= outputs.max(axis=1, keepdims=True)
        return np.asarray(outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True)))

    def predict(self, X: Any) -> np.ndarray[Any, np.dtype[Any]]:
        """The most probable classes."""
        outputs = self._run(X)
        return np.asarray(self.classes_[outputs.argmax(axis=1)])

    def _run(self, X: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
        check_is_fitted(self)
        texts = _texts(X, self.column)
        client = _client(self.home)
        features = client.embed(self.encoder, texts, tap=self.tap, progress=False)
        (output,) = client.run_graph(self.model_, {"features": features}).values()
        return np.asarray(output[:, self._outputs])


def _labels(classes: np.ndarray[Any, np.dtype[Any]]) -> List[str]:
    """Labels for the daemon: what the classes are called, or their numbers where that would not tell them apart."""
    names = [str(value) for value in classes.tolist()]
    # White space around a label does not count, and canonically equivalent ones are one label.
    distinct = {unicodedata.normalize("NFC", name) for name in names}
    if len(distinct) == len(names) and all(name.strip() == name != "" for name in names):
        return names
    return [str(code) for code in range(len(names))]
