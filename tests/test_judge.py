"""The classifier learns, and the judge made of it is kept, found again, and says what it sees."""

import numpy as np
import pytest

import minigan as mg
from minigan import classifier, judge
from minigan.kernels.reference import log_softmax


@pytest.fixture(scope="module")
def digits():
    return mg.data.glyphs(500, rng=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("judges")


@pytest.fixture(scope="module")
def hired(digits, folder):
    return judge.hire(*digits, epochs=6, folder=folder, progress=False)


def test_the_classifier_learns_and_generalises(hired):
    images, labels = mg.data.glyphs(300, rng=2)
    assert hired.accuracy(images, labels) > 0.8
    untrained = classifier.build()
    assert classifier.accuracy(untrained, images, labels) < 0.5


def test_fit_lowers_its_loss():
    images, labels = mg.data.glyphs(40, rng=3)
    network = classifier.build(dtype="float64")
    steps = classifier.fit(network, images, labels, epochs=30, batch_size=40, progress=False)
    assert len(steps) == 30 and steps[-1] < steps[0] / 2


def test_images_are_moved_by_at_most_a_pixel():
    spot = np.zeros((200, 5, 5, 1))
    spot[:, 2, 2] = 1
    moved = classifier._moved(spot, np.random.default_rng(0))
    assert moved.shape == spot.shape
    places = {tuple(place) for place in np.argwhere(moved[..., 0])[:, 1:]}
    assert places == {(i, j) for i in (1, 2, 3) for j in (1, 2, 3)}
    assert np.all(moved.sum(axis=(1, 2, 3)) == 1)


def test_fit_wants_a_label_an_image():
    with pytest.raises(ValueError, match=r"labels \(M,\), got \(3, 28, 28, 1\) and \(2,\)"):
        classifier.fit(classifier.build(), np.zeros((3, 28, 28, 1)), [0, 1])


def test_a_judge_is_hired_once(digits, folder, hired, monkeypatch):
    monkeypatch.setattr(classifier, "fit", lambda *_, **__: pytest.fail("trained again"))
    again = judge.hire(*digits, epochs=6, folder=folder)
    np.testing.assert_array_equal(again.network.theta, hired.network.theta)
    np.testing.assert_array_equal(again.look(digits[0][:9]).features, hired.look(digits[0][:9])[0])


def test_other_data_or_training_have_another_judge(digits, folder, monkeypatch):
    class Trained(Exception):
        pass

    def fit(*_, **__):
        raise Trained

    monkeypatch.setattr(classifier, "fit", fit)
    images, labels = digits
    for options in ({"epochs": 7}, {"epochs": 6, "rng": 1}):
        with pytest.raises(Trained):
            judge.hire(images, labels, folder=folder, **options)
    with pytest.raises(Trained):
        judge.hire(images[::-1], labels, epochs=6, folder=folder)


def test_a_damaged_judge_is_trained_anew(digits, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(classifier, "fit", lambda *_, **__: calls.append(1))
    judge.hire(*digits, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-100])
    judge.hire(*digits, folder=tmp_path)
    judge.hire(*digits, folder=tmp_path)
    assert len(calls) == 2


def test_looking(hired, digits):
    features, probabilities = hired.look(digits[0][:7])
    assert features.shape == (7, classifier.FEATURES) and np.all(features >= 0)
    assert probabilities.shape == (7, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    logits = classifier.in_batches(hired.network, digits[0][:7])
    np.testing.assert_array_equal(probabilities.argmax(axis=1), logits.argmax(axis=1))


def test_scores_of_the_real_of_one_class_and_of_nonsense(hired, digits):
    images, labels = digits
    real = hired.look(images)
    same = judge.score(real, real)
    assert same.covered == 10 and same.total_variation == 0
    assert same.frechet < 1e-6 and same.precision == same.recall == same.coverage == 1
    ones = judge.score(hired.look(images[labels == 1]), real)
    assert ones.covered == 1 and ones.total_variation > 0.8 and ones.recall < 0.5
    noise = np.random.default_rng(0).uniform(-1, 1, images.shape)
    nonsense = judge.score(hired.look(noise), real)
    held_out = judge.score(hired.look(mg.data.glyphs(500, rng=5)[0]), real)
    assert nonsense.frechet > 10 * held_out.frechet
    assert "10 of 10 classes" in str(same)


@pytest.mark.parametrize("size", [1.0, 1e3])
def test_log_softmax(size):
    x = size * np.random.default_rng(0).standard_normal((5, 4))
    log_p = log_softmax(x)
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(log_p - log_p[:, :1], x - x[:, :1], rtol=1e-9)
    assert np.all(log_p <= 0)
