"""Data for the Silero voice-activity detector: synthetic speech between pauses, and noise; 512 samples of sound at a time, as the model takes them.

Speech is a train of glottal pulses through formant filters, syllable after syllable, with hisses before some. It needs no meaning: it only has
to drive the model over its whole range."""

import common
import numpy as np

VERSION = 1  # of the sound: raise it when files of the same name would differ
RATE, CHUNK, CONTEXT = 16000, 512, 64  # context: the end of the chunk before, which the model wants in front
CHUNKS = 50  # of one recording; the state starts anew with each
VOWELS = [(730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410), (660, 1720, 2410), (440, 1020, 2240)]


def model():
    """The one of the package that OpenVINO reads: 16 kHz only, nothing to decide at run time."""
    return common.wheel_file("silero_vad/data/silero_vad_openvino_16k.onnx")


def _resonant(sound, frequency, width):
    from scipy.signal import lfilter

    radius = np.exp(-np.pi * width / RATE)
    return lfilter([1 - radius], [1, -2 * radius * np.cos(2 * np.pi * frequency / RATE), radius * radius], sound)


def _envelope(length, attack, decay):
    rise, fall = np.arange(length) / (attack * RATE), np.arange(length)[::-1] / (decay * RATE)
    return np.sin(np.pi / 2 * np.clip(np.minimum(rise, fall), 0, 1)) ** 2


def _vowel(noise, pitch, stretch, seconds):
    """`stretch`: how much shorter than a man's the throat is."""
    length = round(seconds * RATE)
    glide = np.linspace(1, noise.uniform(0.85, 1.12), length) * (1 + 0.01 * noise.standard_normal(length).cumsum() / np.sqrt(length))
    phase = (pitch * glide / RATE).cumsum()
    pulses = np.diff(np.floor(phase), prepend=0) * noise.uniform(0.9, 1.1, length) + 0.003 * noise.standard_normal(length)
    sound = _resonant(pulses, 0, 200)  # the throat's own slope
    for formant, width in zip(VOWELS[noise.integers(len(VOWELS))], (70, 90, 140)):
        sound = _resonant(sound, formant * stretch * noise.uniform(0.94, 1.06), width)
    sound = np.diff(sound, prepend=0)  # the lips'
    return sound / (np.abs(sound).max() + 1e-9) * _envelope(length, 0.02, 0.05)


def _hiss(noise):
    length = round(noise.uniform(0.04, 0.11) * RATE)
    sound = _resonant(noise.standard_normal(length), noise.uniform(2500, 6500), 1500)
    return sound / np.abs(sound).max() * noise.uniform(0.1, 0.4) * _envelope(length, 0.01, 0.02)


def _speech(noise, length):
    """A voice that says words of one to four syllables with pauses between."""
    man = noise.random() < 0.5
    pitch, stretch = (noise.uniform(90, 150), noise.uniform(0.95, 1.05)) if man else (noise.uniform(170, 260), noise.uniform(1.1, 1.25))
    parts, total = [np.zeros(round(noise.uniform(0.0, 0.5) * RATE))], 0
    while total < length:
        for _ in range(noise.integers(1, 5)):
            if noise.random() < 0.5:
                parts.append(_hiss(noise))
            parts.append(noise.uniform(0.5, 1) * _vowel(noise, pitch * noise.uniform(0.9, 1.15), stretch, noise.uniform(0.09, 0.28)))
        parts.append(np.zeros(round(noise.choice([0.05, 0.2, 0.5]) * noise.uniform(0.7, 1.3) * RATE)))
        total = sum(map(len, parts))
    return np.concatenate(parts)[:length]


def _background(noise, length):
    """White noise, rumble, or the hum of the mains."""
    kind = noise.integers(3)
    if kind == 2:
        time = np.arange(length) / RATE
        return sum(np.sin(2 * np.pi * 50 * k * time + noise.uniform(0, 6)) / k for k in (1, 2, 3, 5)) / 2
    white = noise.standard_normal(length)
    return 10 * _resonant(white, 0, 300) if kind else white


def recording(noise):
    """In five of six somebody speaks."""
    length = CHUNKS * CHUNK
    sound = noise.uniform(0.05, 0.5) * _speech(noise, length) if noise.random() < 5 / 6 else np.zeros(length)
    sound += 10 ** noise.uniform(-4, -1.6) * _background(noise, length)
    return np.clip(sound, -1, 1).astype(np.float32)


def chunks(count=1600, seed=6):
    """`input` [N, 576] and the `state` [N, 2, 1, 128] that the chunks before left, without labels."""

    def make(path):
        import onnxruntime

        session = onnxruntime.InferenceSession(model())
        noise = np.random.default_rng(seed)
        inputs, states = np.zeros((count, CONTEXT + CHUNK), np.float32), np.zeros((count, 2, 1, 128), np.float32)
        for i in range(count):
            at = i % CHUNKS
            if at == 0:
                sound, state = np.concatenate([np.zeros(CONTEXT, np.float32), recording(noise)]), np.zeros((2, 1, 128), np.float32)
            inputs[i], states[i] = sound[at * CHUNK : (at + 1) * CHUNK + CONTEXT], state
            state = session.run(["stateN"], {"input": inputs[i : i + 1], "state": state})[0]
        np.savez(path, input=inputs, state=states)

    return common.made_once(f"zoo_speech_{count}_s{seed}_v{VERSION}.npz", make)
