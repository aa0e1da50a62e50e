"""Progress of whatever in a demo takes more than a moment: the bars of `minigan._progress`."""

from minigan._progress import Bar, track


def each(items, label, unit="step"):
    """The items one after the other, with a bar that counts them."""
    return track(list(items), desc=f"{label}: ", unit=unit)


def reported(animation, frames, label):
    """The matplotlib animation, whose save() (and to_jshtml(), which calls it) now has a bar."""
    save = animation.save

    def save_with_a_bar(path, **options):
        with Bar(frames, desc=f"{label}: ", unit="frame") as shown:
            save(path, progress_callback=lambda *_: shown.update(), **options)

    animation.save = save_with_a_bar
    return animation
