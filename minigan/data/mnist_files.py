"""MNIST and two data sets of the same format: Fashion-MNIST and Kuzushiji-MNIST.

Each comes as four IDX files, images and labels for training and for testing. They are looked for
in a folder, then in the user's cache, and are downloaded to the cache if they are in neither.
"""

import hashlib
import os
import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import _checks as checks
from .idx import load_idx

# The part of the file's name that says what it holds -> the shape of its array.
_SHAPES = {
    "train-images-idx3": (60_000, 28, 28),
    "train-labels-idx1": (60_000,),
    "t10k-images-idx3": (10_000, 28, 28),
    "t10k-labels-idx1": (10_000,),
}
_SPLITS = {
    "train": ("train-images-idx3", "train-labels-idx1"),
    "test": ("t10k-images-idx3", "t10k-labels-idx1"),
}


Labelled = tuple[np.ndarray, np.ndarray]  # images, labels


class _DataSet(NamedTuple):
    """The mirrors of a data set, and the checksums of its files.

    content: sha256 of the IDX files, decompressed; mirrors compress them differently.
    archives: sha256 of the .gz files, where the content's is not known to us.
    """

    title: str
    folder: str
    mirrors: tuple
    content: dict
    archives: dict


_MNIST = _DataSet(
    title="MNIST",
    folder="mnist",
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    content={
        "train-images-idx3": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    archives={},
)

_FASHION_MNIST = _DataSet(
    title="Fashion-MNIST",
    folder="fashion_mnist",
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    content={
        "train-images-idx3": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    archives={},
)

_KMNIST = _DataSet(
    title="Kuzushiji-MNIST",
    folder="kmnist",
    mirrors=(
        "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
    ),
    content={},
    archives={
        "train-images-idx3": "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        "train-labels-idx1": "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        "t10k-images-idx3": "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        "t10k-labels-idx1": "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
    },
)


def mnist(split: str = "train", *, folder: Any = None) -> Labelled:
    """Handwritten digits: 60,000 to train on, 10,000 to test on.

    The files are looked for

    1. in `folder`, and nowhere else, if it is given;
    2. in the folder that the environment variable MINIGAN_DATA names, if it is set;
    3. in the user's cache (`pooch.os_cache("minigan")`);
    4. on the mirrors, from where they are downloaded to the cache.

    In a folder they may lie directly or in a subfolder "mnist", be named as in
    "train-images-idx3-ubyte" or "train-images.idx3-ubyte", and be compressed (.gz) or not. Their
    content is compared with its known sha256 every time.

    Args:
        split: "train" or "test".
        folder: a folder that holds the files.

    Returns:
        (images, labels): images float32 of shape (n, 28, 28, 1) in [-1, 1], -1 the paper and 1
        the ink, as a generator that ends in tanh gives them; labels int64 of shape (n,), 0 to 9.

    Raises:
        FileNotFoundError: the files are not there and could not be downloaded. The message says
            which files to put where.
        ValueError: a file is damaged or holds something else.

    References:
        LeCun et al., "Gradient-based learning applied to document recognition", 1998.
    """
    return _load(_MNIST, split, folder)


def fashion_mnist(split: str = "train", *, folder: Any = None) -> Labelled:
    """Ten kinds of clothing, in the format of MNIST; see `mnist` for where the files are found.

    The subfolder's name is "fashion_mnist". Labels: 0 T-shirt, 1 trouser, 2 pullover, 3 dress,
    4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag, 9 ankle boot.

    Args, Returns and Raises are those of `mnist`.

    References:
        Xiao et al., "Fashion-MNIST: a novel image dataset for benchmarking machine learning
        algorithms", 2017.
    """
    return _load(_FASHION_MNIST, split, folder)


def kmnist(split: str = "train", *, folder: Any = None) -> Labelled:
    """Ten characters of cursive Japanese, in the format of MNIST; see `mnist` for where to find it.

    The subfolder's name is "kmnist". Labels: 0 o, 1 ki, 2 su, 3 tsu, 4 na, 5 ha, 6 ma, 7 ya,
    8 re, 9 wo.

    No checksum of the decompressed files is known to us. A download is compared with the sha256 of
    the published .gz files; files in a folder only in format, shape and range of the labels, and
    they must not be MNIST's or Fashion-MNIST's.

    Args, Returns and Raises are those of `mnist`.

    References:
        Clanuwat et al., "Deep learning for classical Japanese literature", 2018.
    """
    return _load(_KMNIST, split, folder)


def cache_folder() -> Path:
    """The folder in which downloaded files are kept, by the custom of the operating system."""
    import pooch  # here, for it takes a while

    return Path(pooch.os_cache("minigan"))


@np.errstate(under="ignore")
def _load(data_set, split, folder):
    checks.one_of(*_SPLITS)(data_set.folder, "split", split)
    images, labels = (_array(data_set, part, folder) for part in _SPLITS[split])
    # 0 .. 255 becomes -1 .. 1. In place, as there are 188 MB of it.
    images = images[..., np.newaxis].astype(np.float32)
    images /= np.float32(127.5)
    images -= np.float32(1)
    return images, labels.astype(np.int64)


def _array(data_set, part, folder):
    """The array of one file, wherever the file is found."""
    place = _named_folder(folder)
    if place is not None and (path := _find(place, data_set.folder, part)) is not None:
        return _read(path, data_set, part)
    if folder is not None:
        raise FileNotFoundError(f"folder: no {part}-ubyte(.gz) in {place}; {_wanted(data_set)}")
    path = cache_folder() / data_set.folder / f"{part}-ubyte.gz"
    try:
        return _read(path, data_set, part)
    except (FileNotFoundError, ValueError):
        pass  # never downloaded, or damaged since: both are mended by a download
    from .download import download

    try:
        urls = [f"{mirror}{path.name}" for mirror in data_set.mirrors]
        return download(urls, path, lambda arrived: _read_download(arrived, data_set, part))
    except OSError as error:
        raise FileNotFoundError(
            f"{data_set.title} is not on this machine, and its download to {path.parent} failed "
            f"({error}); {_wanted(data_set)}, and name that folder in the environment variable "
            "MINIGAN_DATA"
        ) from error


def _named_folder(folder):
    """The folder that the caller names, or else the environment; None if neither does."""
    name, value = "folder", folder
    if folder is None:
        name, value = "MINIGAN_DATA", os.environ.get("MINIGAN_DATA") or None
    return None if value is None else checks.folder("data", name, value)


def _find(folder, subfolder, part):
    """The path of one file in a folder or its subfolder, under any of its names; else None."""
    for place in (folder / subfolder, folder):
        for stem in (part, part.replace("-idx", ".idx")):
            for suffix in ("", ".gz"):
                path = place / f"{stem}-ubyte{suffix}"
                if path.is_file():
                    return path
    return None


def _wanted(data_set):
    names = ", ".join(f"{part}-ubyte.gz" for part in _SHAPES)
    return f"for {data_set.title}, put {names} (or the same without .gz) into a folder"


def _read(path, data_set, part):
    """The array in a file, once it is known to be the right one."""
    array = load_idx(path, shape=_SHAPES[part])
    if array.dtype != np.uint8:
        raise ValueError(f"{path}: expected uint8, the header says {array.dtype}")
    # The header follows from the array, so this is the sha256 of the whole file, decompressed.
    header = struct.pack(f">HBB{array.ndim}I", 0, 0x08, array.ndim, *array.shape)
    digest = hashlib.sha256(header)
    digest.update(array)
    found, expected = digest.hexdigest(), data_set.content.get(part)
    for other in (_MNIST, _FASHION_MNIST):
        if other is not data_set and found == other.content[part]:
            raise ValueError(
                f"{path}: expected {data_set.title}'s file, got {other.title}'s; "
                f'{data_set.title} may lie beside it in a subfolder "{data_set.folder}"'
            )
    if expected is not None and found != expected:
        raise ValueError(f"{path}: expected content of sha256 {expected}, got {found}")
    if array.ndim == 1 and array.max() > 9:
        raise ValueError(f"{path}: expected labels 0 to 9, got {array.max()}")
    return array


def _read_download(path, data_set, part):
    """`_read`, after the archive itself was compared with its published sha256, if it has one."""
    import pooch

    expected = data_set.archives.get(part)
    if expected is not None and (found := pooch.file_hash(str(path))) != expected:
        raise ValueError(f"expected an archive of sha256 {expected}, got {found}")
    return _read(path, data_set, part)
