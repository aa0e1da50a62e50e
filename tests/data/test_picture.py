"""A picture as a distribution: its darkness is the density, whatever its format."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.image import imsave
from PIL import Image, ImageOps

from minigan.data import from_picture

WHITE, BLACK = 255, 0


def saved(folder, pixels, mode=None, name="picture.png"):
    path = folder / name
    Image.fromarray(np.asarray(pixels)).convert(mode).save(path)
    return path


def test_mass_is_darkness_and_y_points_up(tmp_path):
    """2 x 2 pixels of side 1: darkness 1 at the top left, 0.4 at the bottom right."""
    path = saved(tmp_path, np.array([[BLACK, WHITE], [WHITE, 153]], np.uint8))
    picture = from_picture(path)
    corners = [[-0.5, 0.5], [0.5, 0.5], [-0.5, -0.5], [0.5, -0.5]]
    assert picture.extent == (-1, 1, -1, 1)
    assert picture.density(corners) == pytest.approx([1 / 1.4, 0, 0, 0.4 / 1.4])
    assert list(picture.log_density(corners[1:3])) == [-np.inf, -np.inf]
    outside = [[-1.01, -0.5], [1.01, 0.5], [0.5, 1.01], [-0.5, -1.01], [1e300, -1e300]]
    assert not picture.density(outside).any()


def test_aspect_is_kept_and_the_longer_side_spans_minus_one_to_one(tmp_path):
    picture = from_picture(saved(tmp_path, np.full((10, 40), BLACK, np.uint8)))
    assert picture.extent == (-1, 1, -0.25, 0.25)
    samples = picture.sample(1000, 0)
    assert np.abs(samples[:, 1]).max() <= 0.25
    assert samples.min() < -0.99 and samples.max() > 0.99


def test_no_sample_falls_on_white(tmp_path):
    levels = np.full((9, 9), WHITE, np.uint8)
    levels[::2, 1::2] = [[BLACK], [100], [200], [254], [BLACK]]
    picture = from_picture(saved(tmp_path, levels))
    assert (picture.density(picture.sample(5000, 0, dtype="float64")) > 0).all()

    class Lowest:
        """A generator at the end of its range, where the first pixel, a white one, is nearest."""

        def random(self, n):
            return np.zeros(n)

    column = (picture._draw(1, Lowest())[0, 0] + 1) * 9 / 2
    assert column == pytest.approx(1)


GREY = np.array([[30, 90, WHITE], [WHITE, 150, 210]], np.uint8)


@pytest.mark.parametrize(
    "mode",
    ["L", "RGB", "RGBA", "LA", "P", "I;16"],
    ids=["grey", "colour", "alpha", "grey+alpha", "palette", "16"],
)
def test_every_kind_of_png_reads_the_same(tmp_path, mode):
    expected = (255 - GREY.astype(float)) / (255 - GREY.astype(float)).sum()
    if mode == "I;16":
        path = tmp_path / "picture.png"
        Image.fromarray(GREY.astype(np.uint16) * 257).save(path)
    else:
        path = saved(tmp_path, GREY, mode)
    assert from_picture(path)._mass == pytest.approx(expected)


def test_colours_count_by_their_luma_and_transparency_is_white(tmp_path):
    red, clear, half = [255, 0, 0, 255], [0, 0, 0, 0], [0, 0, 0, 51]
    picture = from_picture(saved(tmp_path, np.array([[red, clear, half]], np.uint8)))
    darkness = np.array([1 - 0.299, 0, 0.2])
    assert picture._mass[0] == pytest.approx(darkness / darkness.sum())


def test_jpeg(tmp_path):
    levels = np.kron(np.array([[BLACK, WHITE]], np.uint8), np.ones((16, 16), np.uint8))
    picture = from_picture(saved(tmp_path, levels, name="picture.jpg"))
    assert picture.density([[-0.5, 0]]) > 100 * picture.density([[0.75, 0]])


# The pixels of a photograph by the way the camera was held: EXIF's orientation, 1 to 8.
UPRIGHT = np.kron(
    np.array([[0, 200], [100, WHITE], [50, WHITE]], np.uint8), np.ones((16, 16), "u1")
)


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png"])
@pytest.mark.parametrize("orientation", range(10))  # 0 and 9 mean nothing
def test_a_photograph_stands_as_viewers_show_it(tmp_path, name, orientation):
    exif, path = Image.Exif(), tmp_path / name
    exif[0x0112] = orientation
    Image.fromarray(UPRIGHT).convert("RGB").save(path, exif=exif, quality=100)
    shown = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("L"), float)
    picture = from_picture(path)
    assert picture._mass == pytest.approx((255 - shown) / (255 - shown).sum(), abs=1e-5)
    wide = shown.shape[1] > shown.shape[0]
    assert wide == (5 <= orientation <= 8) and picture.extent[1] == (1 if wide else 2 / 3)


def test_orientation_keeps_transparency_and_sixteen_bits(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3  # half a turn
    alpha = np.array([[[0, 0, 0, 255], [0, 0, 0, 0]], [[0, 0, 0, 51], [0, 0, 0, 0]]], np.uint8)
    deep = np.array([[0, 65535], [65535 - 257, 65535]], np.uint16)
    for name, pixels, corner in (("alpha", alpha, 0.2), ("deep", deep, 1 / 255)):
        path = tmp_path / f"{name}.png"
        Image.fromarray(pixels).save(path, exif=exif)
        expected = np.array([[0, corner], [0, 1]]) / (1 + corner)
        assert from_picture(path)._mass == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # Pillow's, and true
def test_damaged_exif_is_passed_over(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.fromarray(UPRIGHT).save(
        path, exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + bytes(9), quality=100
    )
    assert from_picture(path)._mass.shape == UPRIGHT.shape


def test_a_truncated_photograph_is_refused(tmp_path):
    path, exif = tmp_path / "photo.jpg", Image.Exif()
    exif[0x0112] = 6
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(path, exif=exif)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(ValueError, match="photo.jpg: expected a PNG or JPEG picture .*truncated"):
        from_picture(path)


def test_cmyk(tmp_path):
    path = tmp_path / "print.jpg"
    colours = np.array([[[0, 0, 0, 0], [0, 0, 0, 255]]], np.uint8)  # paper, black ink
    Image.fromarray(np.kron(colours, np.ones((8, 8, 1), "u1")), "CMYK").save(path, quality=100)
    mass = from_picture(path)._mass
    assert mass[:, :8].sum() == pytest.approx(0, abs=0.01) and mass[:, 8:].sum() > 0.99


@pytest.mark.parametrize("mode, clear", [("L", 30), ("RGB", (30, 30, 30)), ("P", 0)])
def test_a_transparent_colour_is_white(tmp_path, mode, clear):
    path = tmp_path / "picture.png"
    picture = Image.fromarray(np.array([[30, 90]], np.uint8)).convert(mode)
    if mode == "P":
        clear = picture.getpixel((0, 0))
    picture.save(path, transparency=clear)
    assert from_picture(path)._mass[0] == pytest.approx([0, 1])


def test_a_transparent_level_of_sixteen_bits_is_white(tmp_path):
    path = tmp_path / "picture.png"
    Image.fromarray(np.array([[300, 301]], np.uint16)).save(path, transparency=300)
    assert from_picture(path)._mass[0] == pytest.approx([0, 1])


def test_black_and_white(tmp_path):
    path = saved(tmp_path, np.array([[0, 255], [255, 0]], np.uint8), "1")
    assert from_picture(path)._mass == pytest.approx(np.eye(2) / 2)


def test_of_an_animated_png_the_first_image_counts(tmp_path):
    path = tmp_path / "film.png"
    frames = [Image.fromarray(np.array([row], np.uint8)) for row in ([0, 255], [255, 0])]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert from_picture(path)._mass[0] == pytest.approx([1, 0])


@pytest.mark.parametrize("suffix", ["gif", "bmp", "tiff", "webp"])
def test_other_formats_are_refused_in_one_line(tmp_path, suffix):
    frames = [Image.fromarray(np.full((4, 4), level, np.uint8)) for level in (0, 99)]
    path = tmp_path / f"picture.{suffix}"
    frames[0].save(
        path, **({"save_all": True, "append_images": frames[1:]} if suffix == "gif" else {})
    )
    with pytest.raises(ValueError, match="expected a PNG or JPEG picture") as error:
        from_picture(path)
    assert "\n" not in str(error.value)


def png_header(width, height):
    """A PNG that promises width x height pixels and holds none."""

    def chunk(kind, content):
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_blank_picture(tmp_path):
    for name, pixels in {
        "white.png": np.full((4, 4), WHITE, np.uint8),
        "clear.png": np.zeros((4, 4, 4), np.uint8),
    }.items():
        with pytest.raises(ValueError, match=f"{name}: .* found only white"):
            from_picture(saved(tmp_path, pixels, name=name))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    "content",
    [b"", b"no picture", png_header(5, 5), png_header(9000, 9000), png_header(2**31 - 1, 2**31 - 1),
     b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"],
    ids=["empty", "text", "no pixels", "too many pixels", "billions of pixels", "a program"],
)  # fmt: skip
def test_what_is_no_picture(tmp_path, content):
    path = tmp_path / "hostile.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="hostile.png: expected a PNG or JPEG picture"):
        from_picture(path)


def test_a_format_that_was_not_asked_for(tmp_path):
    path = saved(tmp_path, GREY, name="picture.gif")
    with pytest.raises(ValueError, match="picture.gif: expected a PNG or JPEG picture"):
        from_picture(path)


def test_a_whole_picture_that_is_too_large(tmp_path):
    path = saved(tmp_path, np.zeros((2049, 2048), np.uint8))
    with pytest.raises(ValueError, match="2048 x 2049 pixels, more than 4194304"):
        from_picture(path)


def test_what_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent.png: no such file"):
        from_picture(tmp_path / "absent.png")
    with pytest.raises(ValueError, match="expected a file, found a folder"):
        from_picture(tmp_path)
    with pytest.raises(TypeError, match="path must be a path, got 3"):
        from_picture(3)


@pytest.fixture(scope="module")
def whole_png(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "fuzzed.png"
    imsave(path, np.linspace(0, 1, 30).reshape(5, 6))
    return path, path.read_bytes()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.integers(0, 10**6), value=st.integers(0, 255), keep=st.integers(0, 10**6))
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_png_is_a_picture_or_a_value_error(whole_png, place, value, keep):
    path, content = whole_png
    damaged = bytearray(content)
    damaged[place % len(damaged)] = value
    path.write_bytes(damaged[: 1 + keep % len(damaged)] if keep % 2 else damaged)
    try:
        assert from_picture(path).sample(3, 0).shape == (3, 2)
    except ValueError as error:
        assert "fuzzed.png: expected a" in str(error)
