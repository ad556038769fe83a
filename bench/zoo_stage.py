"""The zoo's systems on one model: both workers with its data open, what each system loads, its accuracy and its speed."""

import dataclasses
import random
import statistics

import common
import zoo_rounds
import zoo_workers

CHUNK = 32  # samples whose outputs are written at once
LATENCY, THROUGHPUT = "latency", "throughput"


@dataclasses.dataclass
class System:
    name: str
    worker: str  # "openvino" or "onnxruntime"
    loads: dict  # by objective: what its worker is told to load


class Failed(Exception):
    def __init__(self, system, reason, died):
        super().__init__(f"{system}: {reason}")
        self.system, self.reason, self.died = system, reason, died


class Stage:
    def __init__(self, case):
        self.case, self.workers, self.failed = case, {}, {}
        self.start()

    def start(self):
        """Raises Refused or Died when the model or its data cannot be opened."""
        self.stop()
        self.workers = {"openvino": zoo_workers.openvino_worker(), "onnxruntime": zoo_workers.onnxruntime_worker()}
        try:
            self.opened = zoo_workers.open_case(self.workers["openvino"], self.case)
            path, tensors = self.write_samples([self.opened["usual"]], "usual")
            self.workers["onnxruntime"].ask("input", path=path, tensors=tensors)
        except (zoo_workers.Refused, zoo_workers.Died):
            self.stop()
            raise

    def stop(self):
        for worker in self.workers.values():
            worker.stop()
        for scrap in common.WORK.glob(f"zoo_{self.case['slug']}.*.tensors"):
            scrap.unlink()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def file(self, what):
        return str(common.WORK / f"zoo_{self.case['slug']}.{what}.tensors")

    def write_samples(self, samples, what):
        path = self.file(what)
        return path, self.workers["openvino"].ask("samples", samples=samples, path=path)["tensors"]

    def ask(self, system, do, **more):
        try:
            return self.workers[system.worker].ask(do, side=system.name, **more)
        except (zoo_workers.Refused, zoo_workers.Died) as error:
            raise Failed(system.name, str(error), isinstance(error, zoo_workers.Died)) from error

    def load(self, system, objective):
        self.ask(system, "load", **system.loads[objective])

    def unload(self):
        for worker in self.workers.values():
            worker.ask("unload")

    def note(self, failure):
        self.failed[failure.system] = failure.reason
        if failure.died:
            self.start()
        else:
            self.unload()

    def drops(self, systems):
        """By system: what the worker says of its outputs on the report's samples. Those that fail are noted."""
        found = {}
        for system in systems:
            common.progress(f"{self.case['name']}: accuracy of {system.name}")
            try:
                self.load(system, LATENCY)
                found[system.name] = self._judged(system)
                self.unload()
            except Failed as failure:
                self.note(failure)
        return found

    def _judged(self, system):
        samples = self.opened["report"]
        if system.worker == "openvino":
            return self.ask(system, "judge", samples=samples)
        judge = System(system.name, "openvino", {})
        for at in range(0, len(samples), CHUNK):
            chunk = samples[at : at + CHUNK]
            source, tensors = self.write_samples(chunk, "inputs")
            answers = self.ask(system, "outputs", source=source, tensors=tensors, path=self.file("outputs"))
            self.ask(judge, "score", samples=chunk, path=self.file("outputs"), tensors=answers["tensors"])
        return self.ask(judge, "finish")

    def speeds(self, systems, objective, rounds):
        """Blocks by load and round. What fails is noted and left out, and the others are measured from the start."""
        while True:
            alive = [system for system in systems if system.name not in self.failed]
            try:
                return self._speeds(alive, objective, rounds)
            except Failed as failure:
                self.note(failure)

    def _speeds(self, systems, objective, rounds):
        order, by_name, done = random.Random(1), {system.name: system for system in systems}, []

        def run(name, seconds):
            answer = self.ask(by_name[name], "run", seconds=seconds, least=zoo_rounds.LEAST, saturated=objective == THROUGHPUT)
            return answer["per_second"] if objective == THROUGHPUT else statistics.median(answer["ms"])

        for load in range(zoo_rounds.LOADS):
            common.progress(f"{self.case['name']}: {objective}, load {load + 1} of {zoo_rounds.LOADS}")
            for system in systems:
                self.load(system, objective)
            done.append(zoo_rounds.one_load(run, list(by_name), -(-rounds // zoo_rounds.LOADS), order))
            self.unload()
        return done
