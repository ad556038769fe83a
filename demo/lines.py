"""Text lines drawn from words in several fonts: real input with a known truth, the same for the same seed."""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import ocr

FONT_FOLDER = Path("/usr/share/fonts/truetype")
FONTS = [
    "dejavu/DejaVuSans.ttf",
    "dejavu/DejaVuSans-Bold.ttf",
    "dejavu/DejaVuSerif.ttf",
    "dejavu/DejaVuSansMono.ttf",
    "liberation2/LiberationSans-Regular.ttf",
    "liberation2/LiberationSans-Italic.ttf",
    "liberation2/LiberationSerif-Regular.ttf",
    "liberation2/LiberationSerif-Bold.ttf",
    "liberation2/LiberationMono-Regular.ttf",
]
WORDS = """
account address amount April August balance bank bill box budget card cash charge city client code
company contract copy cost country credit customer date day December delivery deposit discount due
east email entry February fee file first Friday goods half hour invoice item January July June
label last letter limit line list London March market May meter Monday month net north November
number October office open order page paid Paris payment phone place policy post price product
quantity quarter rate receipt record refund report return room round sale Saturday section seller
September service sheet ship shop signed south stamp station stock store street Sunday supply table
tax term Thursday ticket time total train Tuesday unit value VAT Vienna Wednesday week weight west
""".split()


@dataclass
class Line:
    text: str
    tensor: np.ndarray  # [1, 3, 48, 320] f32


def random_text(rng: random.Random) -> str:
    words = [rng.choice(WORDS) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.5:
        number = rng.choice([f"{rng.randint(1, 99)}.{rng.randint(0, 99):02}", str(rng.randint(100, 9999))])
        words.insert(rng.randint(0, len(words)), number)
    return " ".join(words)


def draw(text: str, font_file: str, rng: random.Random) -> Image.Image:
    """One line, dark on light, slightly turned, blurred and noisy; 48 pixels high."""
    font = ImageFont.truetype(FONT_FOLDER / font_file, rng.randint(22, 40))
    left, top, right, bottom = font.getbbox(text)
    margin = rng.randint(4, 9)
    paper = rng.randint(190, 255)
    ink = tuple(rng.randint(0, 120) for _ in range(3))
    size = (right - left + 2 * margin, bottom - top + 2 * margin)
    image = Image.new("RGB", size, (paper, paper, paper))
    ImageDraw.Draw(image).text((margin - left, margin - top), text, font=font, fill=ink)
    image = image.rotate(
        rng.uniform(-1.5, 1.5), Image.Resampling.BICUBIC, expand=False, fillcolor=(paper, paper, paper)
    )
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 2.0)))
    width = max(1, round(image.width * ocr.HEIGHT / image.height))
    return image.resize((width, ocr.HEIGHT), Image.Resampling.BILINEAR)


def add_noise(image: Image.Image, deviation: float, noise: np.random.Generator) -> np.ndarray:
    """Pixels [height, width, 3] of the picture as a poor camera gives them."""
    pixels = np.asarray(image, np.float32)
    return (pixels + noise.normal(0, deviation, pixels.shape)).clip(0, 255).astype(np.uint8)


def check_fonts() -> None:
    missing = [name for name in FONTS if not (FONT_FOLDER / name).is_file()]
    if missing:
        raise RuntimeError(
            f"no font {FONT_FOLDER / missing[0]}: install fonts-dejavu-core and fonts-liberation2"
        )


def render(count: int, seed: int = 1) -> list[Line]:
    check_fonts()
    rng = random.Random(seed)
    noise = np.random.default_rng(seed)
    lines: list[Line] = []
    while len(lines) < count:
        text = random_text(rng)
        image = draw(text, rng.choice(FONTS), rng)
        if image.width > ocr.WIDTH:
            continue  # a longer line would be squeezed; the model's input is kept at one width here
        pixels = add_noise(image, rng.uniform(0, 30), noise)
        lines.append(Line(text, ocr.pixels_to_input(pixels)))
    return lines
