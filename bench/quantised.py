"""Models in plain int8, as NNCF makes them by default."""

import pathlib

import common


def int8_of(path, shape, samples=40, seed=1):
    """The IR file of `path` quantised, in bench/work; made once. Calibrated on smooth seeded numbers, or bytes where it asks for integers: ranges
    matter to accuracy, not to speed."""
    target = common.WORK / f"{pathlib.Path(path).stem}_int8.xml"
    if target.exists():
        return str(target)
    import logging

    import nncf
    import numpy as np
    import openvino as ov

    logging.getLogger("nncf").setLevel(logging.ERROR)
    random = np.random.default_rng(seed)
    common.WORK.mkdir(parents=True, exist_ok=True)
    model = ov.Core().read_model(path)
    model.reshape({model.inputs[0]: shape})

    integers = model.inputs[0].element_type.is_integral()

    def sample():
        if integers:
            return random.integers(0, 256, shape).astype(model.inputs[0].element_type.to_dtype())
        small = random.uniform(-1, 1, [*shape[:-2], -(-shape[-2] // 8), -(-shape[-1] // 8)])
        return np.kron(small, np.ones([*[1] * (len(shape) - 2), 8, 8]))[..., : shape[-2], : shape[-1]].astype(np.float32)

    data = nncf.Dataset([sample() for _ in range(samples)])
    ov.save_model(nncf.quantize(model, data, subset_size=samples), str(target), compress_to_fp16=False)
    return str(target)
