"""A folder of pictures: what is read, and what is refused in one line."""

import numpy as np
import pytest
from PIL import Image

import minigan as mg


@pytest.fixture
def folder(tmp_path):
    """save(name, pixels): writes a picture into the folder, whose path is save.path."""

    def save(name, pixels, **options):
        Image.fromarray(np.asarray(pixels, np.uint8)).save(tmp_path / name, **options)

    save.path = tmp_path
    return save


def refused(error, *arguments, **options):
    with pytest.raises(error) as raised:
        mg.data.images_from_folder(*arguments, **options)
    message = str(raised.value)
    assert "\n" not in message and message.startswith("images_from_folder: ")
    return message


def test_grey_and_colour(folder):
    grey = np.array([[0, 255], [51, 102]])
    folder("b.png", grey)
    (folder.path / "notes.txt").write_text("no picture")
    images = mg.data.images_from_folder(folder.path)
    assert images.dtype == np.float32 and images.shape == (1, 2, 2, 1)
    np.testing.assert_allclose(images[0, ..., 0], [[-1, 1], [-0.6, -0.2]], atol=1e-6)
    folder("a.PNG", np.dstack([grey, 0 * grey, 255 - grey]))
    images = mg.data.images_from_folder(folder.path)  # one of them has colours: all have
    assert images.shape == (2, 2, 2, 3)
    np.testing.assert_allclose(images[0, 0, 1], [1, -1, -1])
    np.testing.assert_allclose(images[1, 0, 1], [1, 1, 1])


def test_transparent_16_bit_and_palette(folder):
    folder("clear.png", np.zeros((2, 2, 4)))
    palette = Image.fromarray(np.zeros((2, 2, 3), np.uint8)).convert("P")
    palette.save(folder.path / "palette.png")
    Image.fromarray(np.full((2, 2), 65535, np.uint16)).save(folder.path / "z16.png")
    images = mg.data.images_from_folder(folder.path)
    assert [set(np.unique(image)) for image in images] == [{1.0}, {-1.0}, {1.0}]


@pytest.mark.parametrize(
    "pixels, clear",
    [
        (np.zeros((2, 2), np.uint8), 0),
        (np.zeros((2, 2, 3), np.uint8), (0, 0, 0)),
        (np.zeros((2, 2), bool), 0),
        (np.zeros((2, 2), np.uint16), 0),
    ],
    ids=["grey", "colour", "1 bit", "16 bit"],
)
def test_a_colour_that_is_declared_transparent_is_laid_on_white(pixels, clear, tmp_path):
    Image.fromarray(pixels).save(tmp_path / "a.png", transparency=clear)
    assert (mg.data.images_from_folder(tmp_path) == 1).all()


def test_resized(folder):
    folder("a.png", np.full((4, 6), 255))
    folder("b.jpg", np.full((10, 3), 255))
    images = mg.data.images_from_folder(folder.path, size=(8, 10))
    assert images.shape == (2, 8, 10, 1) and images.min() > 0.99


def test_it_trains(folder):
    rng = np.random.default_rng(0)
    for i in range(4):
        folder(f"{i}.png", rng.integers(0, 256, (8, 8, 3)))
    images = mg.data.images_from_folder(folder.path)
    game = mg.image_recipes.game("mlp", shape=images.shape[1:])
    mg.image_recipes.train(game, images, steps=2, progress=False)
    assert game.sample(3).shape == (3, 8, 8, 3)


def test_mixed_sizes(folder):
    folder("a.png", np.zeros((28, 28)))
    folder("b.png", np.zeros((32, 30)))
    message = refused(ValueError, folder.path)
    assert "must have one size, got 28 x 28 (a.png) and 32 x 30 (b.png)" in message


def test_a_broken_picture_is_named(folder):
    folder("a.png", np.zeros((8, 8)))
    folder("b.jpg", np.zeros((64, 64)))
    whole = (folder.path / "b.jpg").read_bytes()
    (folder.path / "b.jpg").write_bytes(whole[: len(whole) // 2])
    assert "b.jpg is no readable PNG or JPEG picture" in refused(ValueError, folder.path)
    (folder.path / "b.jpg").write_bytes(b"")
    assert "b.jpg is no readable" in refused(ValueError, folder.path)


def test_pictures_of_another_kind_under_a_known_name(folder):
    folder("a.gif", np.zeros((8, 8)))
    (folder.path / "a.gif").rename(folder.path / "a.png")
    message = refused(ValueError, folder.path)
    assert "a.png is no readable PNG or JPEG picture, whatever its name says" in message
    assert message.count("a.png") == 1


def test_hidden_files_are_passed_over(folder):
    folder("a.png", np.zeros((8, 8)))
    folder(".thumbnail.png", np.zeros((4, 4)))
    (folder.path / "._a.png").write_bytes(b"what macOS adds to an archive")
    assert mg.data.images_from_folder(folder.path).shape == (1, 8, 8, 1)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # Pillow's, and true
def test_damaged_exif_is_ignored_as_viewers_do(folder):
    folder("a.jpg", np.zeros((4, 8)), exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + bytes(9))
    assert mg.data.images_from_folder(folder.path).shape == (1, 4, 8, 1)


def test_a_photograph_is_resized_and_a_larger_one_named(folder, monkeypatch):
    folder("a.png", np.full((3000, 2000), 255))  # 6 million pixels
    message = refused(ValueError, folder.path)
    assert "a.png must have at most 4,194,304 pixels, got 3000 x 2000; size=" in message
    assert mg.data.images_from_folder(folder.path, size=(8, 8)).shape == (1, 8, 8, 1)
    monkeypatch.setattr("minigan.data.image_folder.MOST_DECODED", 1 << 22)
    message = refused(ValueError, folder.path, size=(8, 8))
    assert message.endswith("a.png must have at most 4,194,304 pixels, got 3000 x 2000")


def test_what_does_not_fit_into_memory_is_refused_before_it_is_made(folder, monkeypatch):
    folder("a.png", np.zeros((8, 8, 3)))
    message = refused(ValueError, folder.path, size=(100_000, 100_000))
    assert "size must be of at most 4,194,304 pixels, got (100000, 100000)" in message
    monkeypatch.setattr("minigan.data.image_folder.MOST_VALUES", 8 * 8 * 3 - 1)
    assert "1 pictures of 8 x 8 do not fit into memory" in refused(ValueError, folder.path)
    monkeypatch.setattr("minigan.data.image_folder.MOST_VALUES", 8 * 8 * 3)
    assert mg.data.images_from_folder(folder.path).shape == (1, 8, 8, 3)


def test_nothing_there(folder):
    message = refused(FileNotFoundError, folder.path)
    assert message.endswith(f"no PNG or JPEG picture in {folder.path}, got nothing")
    folder("a.gif", np.zeros((8, 8)))
    folder("b.gif", np.zeros((8, 8)))
    (folder.path / "cats").mkdir()
    assert refused(FileNotFoundError, folder.path).endswith(", got .gif (2), folders (1)")
    file = folder.path / "a.gif"
    assert f"folder must be a folder, but {file} is a file" in refused(FileNotFoundError, file)
    missing = folder.path / "missing"
    assert f"there is none at {missing}" in refused(FileNotFoundError, missing)
    assert "must be a path" in refused(TypeError, 3)


def test_bad_sizes(folder):
    folder("a.png", np.zeros((8, 8)))
    for size, error in (
        (8, TypeError),
        ("88x", TypeError),
        ((8,), ValueError),
        ((0, 8), ValueError),
    ):
        assert "size must be a tuple of 2 integers >= 1" in refused(error, folder.path, size=size)
