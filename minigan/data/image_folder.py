"""A folder of pictures as an array of images."""

from collections import Counter

import numpy as np

from .._checks import Folder, PictureSize, checked
from .picture import upright

SUFFIXES = (".png", ".jpg", ".jpeg")
MOST_DECODED = 1 << 26  # pixels of a picture, 8192 x 8192; one with more is not decoded
MOST_PIXELS = 1 << 22  # pixels of an image, 2048 x 2048
MOST_VALUES = 1 << 30  # of all images together: 4 GiB as float32


@checked
def images_from_folder(folder: Folder, *, size: PictureSize | None = None) -> np.ndarray:
    """The PNG and JPEG pictures of a folder, in the order of their names, as training images.

    A picture is turned as viewers show it, by its EXIF orientation; a transparent one is
    laid on white. If all of them are stored in grey, so are the images; else all are RGB.

    Parameters
    ----------
    folder : subfolders are not searched; files of other kinds are passed over, and so are hidden
        ones, whose names begin with a dot
    size : (height, width) to which every picture is resized; without it they must be of one size

    Returns
    -------
    float32, (n, height, width, channels), channels 1 or 3, in [-1, 1]: black -1, white 1

    Raises
    ------
    FileNotFoundError : no such folder, or no picture in it
    ValueError : a picture that cannot be read, by name; pictures of several sizes; too many pixels
    """
    files = _pictures_in(folder)
    if size is not None and size[0] * size[1] > MOST_PIXELS:
        raise ValueError(
            f"images_from_folder: size must be of at most {MOST_PIXELS:,} pixels, got {size}"
        )
    pictures: list = []
    for file in files:
        picture = _read(file, size)
        if pictures and picture.size != pictures[0].size:
            raise ValueError(
                "images_from_folder: all pictures must have one size, got "
                f"{_in_words(pictures[0])} ({files[0].name}) and {_in_words(picture)} "
                f"({file.name}); size=(height, width) resizes them"
            )
        pictures.append(picture)
        channels = len(picture.getbands())
        if len(files) * picture.width * picture.height * channels > MOST_VALUES:
            raise ValueError(
                f"images_from_folder: {len(files):,} pictures of {_in_words(picture)} do not fit "
                "into memory; give a smaller size=(height, width)"
            )
    mode = "L" if all(picture.mode == "L" for picture in pictures) else "RGB"
    width, height = pictures[0].size
    images = np.empty((len(pictures), height, width, len(mode)), np.float32)
    for image, picture in zip(images, pictures):
        image[...] = np.asarray(picture.convert(mode)).reshape(image.shape)
    images /= np.float32(127.5)
    images -= 1
    return images


def _pictures_in(folder):
    """The paths of the pictures, by name. FileNotFoundError if there are none."""
    shown = [path for path in folder.iterdir() if path.name[0] != "."]  # macOS adds ._ files
    files = sorted(p for p in shown if p.suffix.lower() in SUFFIXES and p.is_file())
    if not files:
        kinds = Counter("folders" if p.is_dir() else p.suffix.lower() or "no suffix" for p in shown)
        found = ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common(5))
        raise FileNotFoundError(
            f"images_from_folder: no PNG or JPEG picture in {folder}, got {found or 'nothing'}"
        )
    return files


def _read(file, size):
    """One picture of mode L or RGB, upright and on white."""
    from PIL import Image, UnidentifiedImageError

    most = MOST_PIXELS if size is None else MOST_DECODED
    try:
        # these two formats alone: to read some others, Pillow starts another program
        with Image.open(file, formats=("PNG", "JPEG")) as opened:
            small_enough = opened.width * opened.height <= most
            if small_enough:
                opened.load()
                picture = upright(opened)
    except UnidentifiedImageError as error:
        raise ValueError(
            f"images_from_folder: {file} is no readable PNG or JPEG picture, whatever its name says"
        ) from error
    except Exception as error:  # a decoder fed with damaged data raises nearly anything
        raise ValueError(
            f"images_from_folder: {file} is no readable PNG or JPEG picture ({error})"
        ) from error
    if not small_enough:
        raise ValueError(
            f"images_from_folder: {file} must have at most {most:,} pixels, got "
            f"{_in_words(opened)}" + ("; size=(height, width) resizes it" if size is None else "")
        )
    if picture.mode.startswith("I"):  # grey of 16 bits
        levels = np.asarray(picture, np.float64)
        levels[levels == picture.info.get("transparency", -1)] = 65535
        picture = Image.fromarray((levels / 257).round().clip(0, 255).astype(np.uint8))
    grey = picture.mode in ("1", "L", "LA")
    if picture.mode in ("LA", "PA", "P", "RGBA") or "transparency" in picture.info:
        ground = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(ground, picture.convert("RGBA"))
    picture = picture.convert("L" if grey else "RGB")
    return picture if size is None else picture.resize(size[::-1], Image.Resampling.LANCZOS)


def _in_words(picture):
    """Height x width."""
    return f"{picture.height} x {picture.width}"
