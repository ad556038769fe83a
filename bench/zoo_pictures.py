"""Pictures for models of pictures: seeded textures with shapes on them, scaled as networks of ImageNet take them."""

import random

import common
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

VERSION = 1  # of the drawing: raise it when files of the same name would differ
SIZE = 224
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)  # ImageNet's


def _texture(noise):
    """RGB numbers of cloudy noise: several sizes of blobs, in a few directions of colour."""
    colours = noise.normal(0, 1, (3, 3))
    roughness = noise.uniform(0.3, 0.9)
    clouds = np.zeros((SIZE, SIZE, 3), np.float32)
    for octave in range(1, 7):
        cells = (2**octave + 1, max(2, round(2**octave * noise.uniform(0.4, 1.6))))  # streaks, where the two differ
        for plane in range(3):
            small = Image.fromarray(noise.normal(0, 1, cells).astype(np.float32))
            clouds[:, :, plane] += roughness**octave * np.asarray(small.resize((SIZE, SIZE), Image.Resampling.BICUBIC))
    contrast = noise.uniform(15, 80) / (clouds.std() + 1e-6)
    return np.clip(noise.uniform(60, 190, 3) + contrast * (clouds @ colours) / 2, 0, 255).astype(np.uint8)


def _shape(rng):
    """A mask of one ellipse, rectangle or polygon."""
    mask = Image.new("L", (SIZE, SIZE))
    draw = ImageDraw.Draw(mask)
    across, down, half = rng.randint(0, SIZE), rng.randint(0, SIZE), rng.randint(12, 80)
    kind = rng.choice(["ellipse", "rectangle", "polygon"])
    if kind == "polygon":
        draw.polygon([(across + rng.randint(-half, half), down + rng.randint(-half, half)) for _ in range(rng.randint(3, 6))], fill=255)
    else:
        squeezed = round(half * rng.uniform(0.4, 1))
        getattr(draw, kind)((across - half, down - squeezed, across + half, down + squeezed), fill=255)
    return mask.rotate(rng.uniform(0, 180)).filter(ImageFilter.GaussianBlur(rng.choice([0, 1, 3])))


def _picture(rng, noise):
    image = Image.fromarray(_texture(noise))
    for _ in range(rng.randint(0, 6)):
        flat = Image.new("RGB", image.size, tuple(rng.randint(0, 255) for _ in range(3)))
        image.paste(Image.fromarray(_texture(noise)) if rng.random() < 0.4 else flat, mask=_shape(rng))
    return np.clip(np.asarray(image) + noise.normal(0, rng.uniform(0, 8), (SIZE, SIZE, 1)), 0, 255)


def drawn(count, seed):
    """Pictures [3, 224, 224], one after the other."""
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    for _ in range(count):
        yield ((_picture(rng, noise).astype(np.float32) / 255 - MEAN) / DEVIATION).transpose(2, 0, 1)


def pictures(count=1600, seed=4):
    """Pictures [N, 3, 224, 224] without labels, as float16 to save half of the disk."""

    def make(path):
        x = np.lib.format.open_memmap(path, "w+", np.float16, (count, 3, SIZE, SIZE))
        for i, picture in enumerate(drawn(count, seed)):
            x[i] = picture
            common.progress(f"  picture {i + 1} of {count}")
        x.flush()
        common.progress("")

    return common.made_once(f"zoo_pictures_{count}_s{seed}_v{VERSION}.npy", make)
