"""ONNX Runtime's side of the zoo's table: default sessions, driven by lines as zoo_worker.cc is.

input PATH TENSORS                what speed is measured on
load SIDE MODEL, unload           a session; all sessions
run SIDE SECONDS LEAST SATURATED  milliseconds of each call, or answers per second with a client thread for each core
outputs SIDE SOURCE TENSORS PATH  runs the samples of one file and writes what comes out to another"""

import concurrent.futures
import itertools
import threading
import time

import common
import onnxruntime as ort
import zoo_workers


class Side:
    def __init__(self, path, feed):
        options = ort.SessionOptions()
        options.log_severity_level = 3  # of the log only
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.feed, self.per_second = feed, 0.0

    def run(self):
        return self.session.run(None, self.feed)

    def run_one(self, seconds, least):
        self.run()
        taken = []
        begin = time.perf_counter()
        while len(taken) < least or time.perf_counter() - begin < seconds:
            start = time.perf_counter()
            self.run()
            taken.append(1e3 * (time.perf_counter() - start))
        return {"ms": taken}

    def run_saturated(self, clients, pool, seconds, least):
        if not self.per_second:
            self.per_second = self.rate(clients, pool, 2 * clients)
        self.rate(clients, pool, clients)
        each = max(least, int(self.per_second * seconds / clients + 1))
        self.per_second = self.rate(clients, pool, each * clients)
        return {"per_second": self.per_second}

    def rate(self, clients, pool, requests):
        """All clients take from one heap of requests, so that all are busy until the last."""
        heap = itertools.count()
        start = threading.Barrier(clients + 1)

        def client():
            start.wait()
            while next(heap) < requests:
                self.run()

        running = [pool.submit(client) for _ in range(clients)]
        start.wait()
        begin = time.perf_counter()
        for one in running:
            one.result()
        return requests / (time.perf_counter() - begin)


class Handler:
    def __init__(self):
        self.sides, self.feed, self.clients = {}, {}, common.cores()
        self.pool = concurrent.futures.ThreadPoolExecutor(self.clients)

    def __call__(self, command):
        return getattr(self, f"do_{command.pop('do')}")(**command) or {}

    def do_input(self, path, tensors):
        self.feed = {name: array.copy() for name, array in zoo_workers.Tensors(path, tensors)[0].items()}

    def do_load(self, side, model):
        self.sides[side] = Side(model, self.feed)

    def do_unload(self):
        self.sides.clear()

    def do_run(self, side, seconds, least, saturated):
        one = self.sides[side]
        return one.run_saturated(self.clients, self.pool, seconds, least) if saturated else one.run_one(seconds, least)

    def do_outputs(self, side, source, tensors, path):
        session = self.sides[side].session
        return {"tensors": zoo_workers.write_tensors(path, (session.run(None, feed) for feed in zoo_workers.Tensors(source, tensors)))}


if __name__ == "__main__":
    zoo_workers.serve(Handler())
