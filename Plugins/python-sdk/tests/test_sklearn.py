"""The estimators keep scikit-learn's contract."""

import pickle

import numpy as np
import pytest

import hidra

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from hidra.sklearn import HidraClassifier, HidraEncoder


@pytest.mark.parametrize("estimator", [HidraEncoder(), HidraClassifier()])
def test_the_checks_for_estimators_of_texts_pass(home, estimator):
    """What scikit-learn itself runs for an estimator whose tags say that it takes texts, not numbers."""
    with pytest.warns(UserWarning, match="requires input"):
        assert {check["status"] for check in check_estimator(estimator)} == {"passed"}


def _as_texts(X):
    """Numbers as texts: scikit-learn's other checks bring numbers only."""
    if hasattr(X, "toarray") or isinstance(X, list) and X and isinstance(X[0], str):
        return X
    array = np.asarray(X)
    return [" ".join(f"{value:.2g}" for value in row) for row in array] if array.ndim == 2 and array.size else X


class _Numeric:
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = tags.input_tags.string = tags.no_validation = False
        tags.input_tags.two_d_array = True
        return tags


class NumericEncoder(_Numeric, HidraEncoder):
    def fit(self, X, y=None):
        return super().fit(_as_texts(X), y)

    def transform(self, X):
        return super().transform(_as_texts(X))


class NumericClassifier(_Numeric, HidraClassifier):
    def fit(self, X, y):
        return super().fit(_as_texts(X), y)

    def _run(self, X):
        return super()._run(_as_texts(X))


NO_FEATURES = "a text has no number of features"
NOT_NUMBERS = "is about numbers that texts cannot hold; texts are checked one by one, below"
SKIPPED = {
    "check_n_features_in_after_fitting": NO_FEATURES,
    "check_n_features_in": NO_FEATURES,
    "check_classifiers_train": NO_FEATURES + "; it ends with a demand for an error when that differs",
    "check_fit2d_predict1d": NO_FEATURES,
    "check_complex_data": NOT_NUMBERS,
    "check_estimators_nan_inf": NOT_NUMBERS,
    "check_dtype_object": NOT_NUMBERS,
    "check_estimators_empty_data_messages": NOT_NUMBERS + " (a table without columns)",
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", [NumericEncoder(), NumericClassifier(epochs=30)])
def test_the_checks_for_estimators_of_numbers_pass_where_they_make_sense_for_texts(home, estimator):
    checks = check_estimator(estimator, on_fail=None, on_skip=None)
    failed = {check["check_name"]: check["exception"] for check in checks if check["status"] == "failed"}
    assert not {name: error for name, error in failed.items() if name not in SKIPPED}
    assert sum(check["status"] == "passed" for check in checks) > 30, "hardly any check was run"


@pytest.mark.parametrize(
    "texts, error",
    [
        ([], "0 sample"),
        ("one text", "list of texts"),
        (["a", None], "Row 2"),
        (["a", float("nan")], "Row 2"),
        ([b"a"], "Row 1"),
        ([["a", "b"], ["c", "d"]], "column"),
        ([1, 2], "Row 1"),
    ],
)
def test_what_is_no_text_is_refused_with_its_row(home, texts, error):
    with pytest.raises(ValueError, match=error):
        HidraEncoder().fit(texts)
    with pytest.raises(ValueError, match=error):
        HidraClassifier().fit(texts, ["x", "y"][: len(texts)])


def test_features_are_those_of_the_client(home, client, tickets):
    texts = tickets["message"][:20]
    features = HidraEncoder().fit_transform(texts)
    assert features.tobytes() == client.embed("minilm", texts).tobytes()
    assert list(HidraEncoder().fit(texts).get_feature_names_out()[:2]) == ["minilm0", "minilm1"]


def test_a_classifier_answers_as_its_head_does(client, tickets):
    texts, labels = tickets["message"], tickets["intent"]
    classifier = HidraClassifier(seed=3, name="kept").fit(texts, labels)
    assert classifier.classes_.tolist() == sorted(set(labels))
    result = client.train(tickets, text="message", label="intent", encoder="minilm", name="same", seed=3)
    assert result.head.digest == client.show("kept").digest
    answers = client.predict("kept", texts[:50], top=99)
    expected = [[{s.label: s.score for s in answer.labels}[c] for c in classifier.classes_] for answer in answers]
    np.testing.assert_allclose(classifier.predict_proba(texts[:50]), expected, rtol=0, atol=1e-6)
    assert classifier.predict(texts[:50]).tolist() == [answer.label for answer in answers]
    assert classifier.score(texts, labels) > 0.8
    np.testing.assert_allclose(np.exp(classifier.predict_log_proba(texts[:5])), classifier.predict_proba(texts[:5]))


def test_heads_of_estimators_without_a_name_do_not_stay(client, tickets):
    before = client.heads()
    HidraClassifier(epochs=2).fit(tickets["message"][:40], tickets["tone"][:40])
    assert client.heads() == before


@pytest.mark.parametrize("labels", [[3, 1, 2] * 10, [True, False, True] * 10, [" a", "a", "b"] * 10, ["e\u0301", "\u00e9", "b"] * 10, [0.5, 1.5, 2.5] * 10])
def test_labels_keep_their_type(home, tickets, labels):
    labels = np.asarray(labels) if not isinstance(labels[0], float) else np.asarray(labels).astype(str)
    classifier = HidraClassifier(epochs=3).fit(tickets["message"][:30], labels)
    predicted = classifier.predict(tickets["message"][:30])
    assert predicted.dtype == labels.dtype and set(predicted.tolist()) <= set(labels.tolist())


def test_numbers_to_predict_are_refused(home, tickets):
    with pytest.raises(ValueError, match="[Cc]ontinuous"):
        HidraClassifier().fit(tickets["message"][:4], [0.1, 0.2, 0.3, 0.4])


def test_pickles_work_in_another_home_with_the_same_encoder_name(home, tickets):
    classifier = clone(HidraClassifier(epochs=3)).fit(tickets["message"][:60], tickets["tone"][:60])
    again = pickle.loads(pickle.dumps(classifier))
    assert (again.predict(tickets["message"]) == classifier.predict(tickets["message"])).all()


def test_pipelines_searches_and_cross_validation(home, tickets):
    texts, labels = tickets["message"][:120], tickets["tone"][:120]
    scores = cross_val_score(make_pipeline(HidraEncoder(), LogisticRegression(max_iter=500)), texts, labels, cv=2)
    assert len(scores) == 2 and min(scores) > 0.2
    search = GridSearchCV(HidraClassifier(epochs=3), {"head": ["linear", "mlp"], "lr": [None, 0.01]}, cv=2, n_jobs=2)
    search.fit(texts, labels)
    assert search.best_score_ > 0.2 and set(search.predict(texts[:3])) <= set(labels)


def test_a_column_of_a_frame_can_be_named(home, tickets):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(tickets).iloc[:40]
    by_name = HidraClassifier(epochs=2, column="message").fit(frame, frame["tone"])
    by_column = HidraClassifier(epochs=2).fit(frame[["message"]], frame["tone"])
    assert by_name.model_ == by_column.model_
    assert (by_name.predict(frame) == by_column.predict(frame["message"])).all()
    with pytest.raises(ValueError, match="no column 'massage'"):
        HidraEncoder(column="massage").fit(frame)


def test_errors_of_the_daemon_reach_the_caller(home):
    with pytest.raises(hidra.NotFoundError):
        HidraEncoder("nobody").fit(["a"])
