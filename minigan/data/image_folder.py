"""A folder of pictures as an array of images."""

import numpy as np

from .._checks import Folder, PictureSize, checked

SUFFIXES = (".png", ".jpg", ".jpeg")
MOST_PIXELS = 1 << 22  # a picture with more (2048 x 2048) is not decoded
MOST_VALUES = 1 << 30  # of all pictures together: 4 GiB as float32


@checked
def images_from_folder(folder: Folder, *, size: PictureSize | None = None) -> np.ndarray:
    """The PNG and JPEG pictures of a folder, in the order of their names, as training images.

    A picture is turned as viewers show it, by its EXIF orientation; a transparent one is
    laid on white. If all of them are grey, so are the images; else all are RGB.

    Parameters
    ----------
    folder : subfolders are not searched; files of other kinds are passed over
    size : (height, width) to which every picture is resized; without it they must be of one size

    Returns
    -------
    float32, (n, height, width, channels), channels 1 or 3, in [-1, 1]: black -1, white 1

    Raises
    ------
    FileNotFoundError : no such folder, or no picture in it
    ValueError : a picture that cannot be read, by name; pictures of several sizes; too many pixels
    """
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    if not files:
        raise FileNotFoundError(f"images_from_folder: no PNG or JPEG picture in {folder}")
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
        if len(files) * picture.width * picture.height > MOST_VALUES:
            raise ValueError(
                f"images_from_folder: {len(files):,} pictures of {_in_words(picture)} do not fit "
                "into memory; size=(height, width) resizes them"
            )
    mode = "L" if all(picture.mode == "L" for picture in pictures) else "RGB"
    pixels = np.stack([np.asarray(picture.convert(mode), np.float32) for picture in pictures])
    return pixels.reshape(*pixels.shape[:3], -1) / np.float32(127.5) - 1


def _read(file, size):
    """One picture of mode L or RGB, upright and on white."""
    from PIL import Image, ImageOps

    try:
        # these two formats alone: to read some others, Pillow starts another program
        with Image.open(file, formats=("PNG", "JPEG")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise ValueError(f"{_in_words(picture)} pixels, more than {MOST_PIXELS:,}")
            picture.load()
            upright = ImageOps.exif_transpose(picture)
    except Exception as error:  # a decoder fed with damaged data raises nearly anything
        raise ValueError(
            f"images_from_folder: {file} is no readable PNG or JPEG picture ({error})"
        ) from error
    if upright.mode.startswith("I"):  # grey of 16 bits
        levels = np.asarray(upright, np.float64)
        levels[levels == upright.info.get("transparency", -1)] = 65535
        upright = Image.fromarray((levels / 257).round().clip(0, 255).astype(np.uint8))
    grey = upright.mode in ("1", "L", "LA")
    if upright.mode in ("LA", "PA", "P", "RGBA") or "transparency" in upright.info:
        ground = Image.new("RGBA", upright.size, "white")
        upright = Image.alpha_composite(ground, upright.convert("RGBA"))
    upright = upright.convert("L" if grey else "RGB")
    return upright if size is None else upright.resize(size[::-1], Image.Resampling.LANCZOS)


def _in_words(picture):
    """Height x width."""
    return f"{picture.height} x {picture.width}"
