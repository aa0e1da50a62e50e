"""The classifier learns, and the judge made of it is kept, found again, and says what it sees."""

import signal

import numpy as np
import pytest

import minigan as mg
from minigan import classifier, judge
from minigan.layers.cross_entropy import log_softmax


@pytest.fixture(scope="module")
def digits():
    return mg.data.glyphs(500, rng=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("judges")


@pytest.fixture(scope="module")
def trained(digits, folder):
    return judge.load_or_train(*digits, epochs=6, folder=folder, progress=False)


def test_the_classifier_learns_and_generalises(trained):
    images, labels = mg.data.glyphs(300, rng=2)
    assert trained.accuracy(images, labels) > 0.8
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
    with pytest.raises(ValueError, match=r"labels must be one for each of 3 images"):
        classifier.fit(classifier.build(), np.zeros((3, 28, 28, 1)), [0, 1])


def test_a_judge_is_trained_once(digits, folder, trained, monkeypatch):
    monkeypatch.setattr(classifier, "fit", lambda *_, **__: pytest.fail("trained again"))
    again = judge.load_or_train(*digits, epochs=6, folder=folder)
    np.testing.assert_array_equal(again.network.theta, trained.network.theta)
    found, expected = (judged.classify(digits[0][:9]) for judged in (again, trained))
    np.testing.assert_array_equal(found.features, expected.features)


def test_other_data_or_training_have_another_judge(digits, folder, monkeypatch):
    class Trained(Exception):
        pass

    def fit(*_, **__):
        raise Trained

    monkeypatch.setattr(classifier, "fit", fit)
    images, labels = digits
    for options in ({"epochs": 7}, {"epochs": 6, "rng": 1}):
        with pytest.raises(Trained):
            judge.load_or_train(images, labels, folder=folder, **options)
    with pytest.raises(Trained):
        judge.load_or_train(images[::-1], labels, epochs=6, folder=folder)


def test_a_damaged_judge_is_trained_anew(digits, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(classifier, "fit", lambda *_, **__: calls.append(1))
    judge.load_or_train(*digits, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-100])
    judge.load_or_train(*digits, folder=tmp_path)
    judge.load_or_train(*digits, folder=tmp_path)
    assert len(calls) == 2


def test_classify(trained, digits):
    features, probabilities = trained.classify(digits[0][:7])
    assert features.shape == (7, classifier.FEATURES) and np.all(features >= 0)
    assert probabilities.shape == (7, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    logits = classifier.in_batches(trained.network, digits[0][:7])
    np.testing.assert_array_equal(probabilities.argmax(axis=1), logits.argmax(axis=1))


def test_scores_of_the_real_of_one_class_and_of_nonsense(trained, digits):
    images, labels = digits
    real = trained.classify(images)
    same = judge.score(real, real)
    assert same.covered == 10 and same.total_variation == 0
    assert same.frechet < 1e-6 and same.precision == same.recall == same.coverage == 1
    ones = judge.score(trained.classify(images[labels == 1]), real)
    assert ones.covered == 1 and ones.total_variation > 0.8 and ones.recall < 0.5
    noise = np.random.default_rng(0).uniform(-1, 1, images.shape)
    nonsense = judge.score(trained.classify(noise), real)
    held_out = judge.score(trained.classify(mg.data.glyphs(500, rng=5)[0]), real)
    assert nonsense.frechet > 10 * held_out.frechet
    assert "10 of 10 classes" in str(same)


@pytest.mark.parametrize("size", [1.0, 1e3])
def test_log_softmax(size):
    x = size * np.random.default_rng(0).standard_normal((5, 4))
    log_p = log_softmax(x)
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(log_p - log_p[:, :1], x - x[:, :1], rtol=1e-9)
    assert np.all(log_p <= 0)


WRONG = {
    "0..255": (lambda x: (x + 1) * 127.5, "0 to 255"),
    "bytes": (lambda x: ((x + 1) * 127.5).astype(np.uint8), "got uint8 from 0 to 255"),
    "a dark picture of 0..255": (lambda x: (x + 1) * 2, "0 to 4"),
    "standardised": (lambda x: (x - x.mean()) / x.std(), "got float32 from -"),
    "not finite": (lambda x: x + np.inf, "must be finite"),
}


@pytest.mark.parametrize("name", WRONG)
def test_pixels_of_another_range_are_refused(name, trained, digits, tmp_path):
    change, message = WRONG[name]
    images, labels = change(digits[0][:40]), digits[1][:40]
    for use in (
        lambda: trained.classify(images),
        lambda: trained.classify(images[:1]),
        lambda: trained.accuracy(images, labels),
        lambda: classifier.fit(classifier.build(), images, labels),
        lambda: judge.load_or_train(images, labels, folder=tmp_path),
    ):
        with pytest.raises(ValueError, match=message):
            use()


def test_pixels_in_0_to_1_are_noticed(trained, digits):
    images, labels = (digits[0][:40] + 1) / 2, digits[1][:40]
    with pytest.warns(
        UserWarning, match=r"classify: .* \[-1, 1\], got float32 from 0 to 1, none below"
    ):
        trained.classify(images)
    for use in (trained.accuracy, lambda *x: classifier.fit(classifier.build(), *x)):
        with pytest.raises(ValueError, match="none below 0; scale them"):
            use(images, labels)
    trained.classify(images[:15])  # few may all be bright
    trained.classify(digits[0][:40] * (1 + 1e-6))  # rounding is no other range


def fit(digits, file, **options):
    network = classifier.build(rng=3)
    images, labels = digits[0][:60], digits[1][:60]
    options = {"epochs": 3, "batch_size": 20, "checkpoint": file, "rng": 4} | options
    losses = classifier.fit(network, images, labels, **options)
    buffers = [value.tobytes() for _, value in network.named_buffers()]
    return network.theta.tobytes(), buffers, losses


@pytest.fixture
def keyboard():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupted_classifier_goes_on_after_the_last_epoch(
    digits, tmp_path, keyboard, monkeypatch, capsys
):
    file, steps = tmp_path / "training.npz", []
    whole = fit(digits, None)

    def counted(*args, real=classifier.softmax_cross_entropy):
        steps.append(1)
        if len(steps) in (2, 9):
            signal.raise_signal(signal.SIGINT)
        return real(*args)

    monkeypatch.setattr(classifier, "softmax_cross_entropy", counted)
    with pytest.raises(KeyboardInterrupt, match="epoch 1 of 3; nothing of it is kept"):
        fit(digits, file)
    with pytest.raises(KeyboardInterrupt, match="interrupted in epoch 3 of 3; epochs up to 2 are"):
        fit(digits, str(file))
    assert "goes on from there" in capsys.readouterr().out
    assert fit(digits, file) == whole and len(steps) == 2 + 8 - 1 + 3
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_kept_training_of_something_else_or_damaged_is_not_used(digits, tmp_path, monkeypatch):
    file = tmp_path / "training.npz"
    wholes = [fit(digits, None), fit(digits, None, lr=1e-3)]
    monkeypatch.setattr(classifier._Kept, "delete", lambda self: None)
    fit(digits, file)
    assert fit(digits, file, lr=1e-3) == wholes[1]
    file.write_bytes(file.read_bytes()[:-100])
    assert fit(digits, file) == wholes[0]


def test_a_judge_that_cannot_be_kept_judges(digits, tmp_path):
    (tmp_path / "a file").touch()
    with pytest.warns(UserWarning, match="load_or_train: the judge will not be kept"):
        found = judge.load_or_train(
            digits[0][:30], digits[1][:30], epochs=1, folder=tmp_path / "a file" / "judge"
        )
    assert len(found.classify(digits[0][:3]).features) == 3


def test_a_network_that_is_no_judge():
    flat = mg.Sequential([mg.layers.Linear(784, 128), mg.layers.ReLU(), mg.layers.Linear(128, 10)])
    for network in (flat, mg.Sequential([mg.layers.Linear(784, 10)])):
        with pytest.raises(
            ValueError, match="Judge: network must be like those of classifier.build"
        ):
            judge.Judge(network)


def test_a_judge_of_another_generator_is_another(digits, tmp_path):
    options = {"epochs": 1, "folder": tmp_path, "progress": False}
    few = digits[0][:20], digits[1][:20]
    thetas = [
        judge.load_or_train(*few, rng=np.random.default_rng(seed), **options).network.theta
        for seed in (0, 0, 1)
    ]
    assert np.array_equal(thetas[0], thetas[1]) and not np.array_equal(thetas[0], thetas[2])


def test_warnings_name_the_line_that_asked(trained, digits, tmp_path):
    (tmp_path / "a file").touch()
    few = digits[0][:30], digits[1][:30]
    with pytest.warns(UserWarning) as noted:
        trained.classify(np.ones((16, 28, 28, 1)))
        judge.load_or_train(*few, epochs=1, folder=tmp_path / "a file" / "judge", progress=False)
    assert len(noted) == 2 and {warning.filename for warning in noted} == {__file__}


def test_the_words_of_a_score(trained, digits):
    scores = judge.score(trained.classify(digits[0][:20]), trained.classify(digits[0][20:40]))
    assert "Frechet" in scores.legend() and "array" not in repr(scores)
