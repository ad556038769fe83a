"""Data for the OCR models of the zoo, drawn by script with seeds: text lines with their text, text lines with their direction, pages.

Made once, into bench/work; the preprocessing is that of the rapidocr package, which the models come from. All of it is what
`tachostat optimize --data` reads (docs/data.md). Run by itself it makes all three."""

import pathlib
import random
import sys

import common
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

sys.path.insert(0, str(common.ROOT / "demo"))
import lines as text_lines  # noqa: E402

VERSION = 1  # of the drawing: raise it when files of the same name would differ
DIRECTION_SIZE = (192, 48)  # width, height of the direction classifier's input
PAGE = 640  # pixels, both ways
# Half of the samples go to the report, whose bound lies about 3.3 ÷ their number above the mean drop: 1,600 leave room for a drop of 0.6 % under 1 %.
COUNT = 1600


def _made_once(name, count, seed, make, ending="npz"):
    return common.made_once(f"{name}_{count}_s{seed}_v{VERSION}.{ending}", make)


def _normalised(pixels):
    """RGB pixels [height, width, 3] as the models were trained: BGR planes in [-1, 1]."""
    return (pixels[:, :, ::-1].transpose(2, 0, 1).astype(np.float32) / 255 - 0.5) / 0.5


def recogniser(count=COUNT, seed=1):
    """Lines [N, 3, 48, 320] labelled with their text."""

    def make(path):
        drawn = text_lines.render(count, seed)
        x = np.concatenate([line.tensor for line in drawn])
        np.savez(path, x=x, labels=np.array([line.text for line in drawn]))

    return _made_once("zoo_recogniser", count, seed, make)


def direction(count=COUNT, seed=2):
    """Lines [N, 3, 48, 192], every other one upside down; labels 0 (upright) and 1 (turned by 180 degrees)."""

    def make(path):
        text_lines.check_fonts()
        rng, noise = random.Random(seed), np.random.default_rng(seed)
        width, height = DIRECTION_SIZE
        x = np.zeros((count, 3, height, width), np.float32)
        labels = np.arange(count) % 2
        for i in range(count):
            image = text_lines.draw(text_lines.random_text(rng), rng.choice(text_lines.FONTS), rng)
            image = image.resize((min(image.width, width), height), Image.Resampling.BILINEAR)
            if labels[i]:
                image = image.transpose(Image.Transpose.ROTATE_180)
            x[i, :, :, : image.width] = _normalised(text_lines.add_noise(image, rng.uniform(0, 30), noise))
        np.savez(path, x=x, labels=labels)

    return _made_once("zoo_direction", count, seed, make)


def _block(page, rng, top):
    """A few lines of one font and colour, from `top` down. The height that it took."""
    draw = ImageDraw.Draw(page)
    font = ImageFont.truetype(text_lines.FONT_FOLDER / rng.choice(text_lines.FONTS), rng.randint(13, 44))
    left = rng.randint(10, PAGE // 3)
    step = round(font.size * rng.uniform(1.3, 1.8))
    count = rng.randint(1, 4)
    paper = page.getpixel((left, min(top, PAGE - 1)))[0]
    dark = rng.randint(0, max(1, paper - 110))
    ink = tuple(min(255, dark + rng.randint(0, 40)) for _ in range(3))
    if rng.random() < 0.2:  # light on a dark box
        draw.rectangle((left - 8, top - 6, PAGE - rng.randint(10, 120), top + count * step), fill=ink)
        ink = (240, 240, 240)
    for i in range(count):
        draw.text((left, top + i * step), text_lines.random_text(rng), font=font, fill=ink)
    return count * step


def _page(rng):
    """Blocks of text on paper that is shaded from side to side, with rules between some."""
    bright, dim = rng.randint(200, 255), rng.randint(160, 230)
    shade = np.linspace(bright, dim, PAGE)[None, :, None].repeat(PAGE, 0).repeat(3, 2)
    page = Image.fromarray(shade.astype(np.uint8))
    top = rng.randint(10, 80)
    while top < PAGE - 50:
        top += _block(page, rng, top) + rng.randint(10, 70)
        if rng.random() < 0.3:
            ImageDraw.Draw(page).line((10, top - 6, PAGE - 10, top - 6), fill=(120, 120, 120), width=rng.randint(1, 3))
    paper = (dim, dim, dim)
    page = page.rotate(rng.uniform(-4, 4), Image.Resampling.BICUBIC, fillcolor=paper)
    return page.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.2)))


def pages(count=1200, seed=3):  # 2.9 GB
    """Pages [N, 3, 640, 640] without labels, as float16 to save half of the disk; one array, so an .npy."""

    def make(path):
        text_lines.check_fonts()
        rng, noise = random.Random(seed), np.random.default_rng(seed)
        x = np.lib.format.open_memmap(path, "w+", np.float16, (count, 3, PAGE, PAGE))
        for i in range(count):
            x[i] = _normalised(text_lines.add_noise(_page(rng), rng.uniform(0, 12), noise))
            common.progress(f"  page {i + 1} of {count}")
        x.flush()
        common.progress("")

    return _made_once("zoo_pages", count, seed, make, "npy")


def main():
    for make in (recogniser, direction, pages):
        path = pathlib.Path(make())
        print(f"{path.relative_to(common.ROOT)}  {path.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
