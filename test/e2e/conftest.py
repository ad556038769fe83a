import pytest

import models
import program


@pytest.fixture(scope="session", autouse=True)
def built():
    if not program.PROGRAM.is_file():
        pytest.exit(f"no program at {program.PROGRAM}: run ./run build", 3)


@pytest.fixture(scope="session")
def arith_model(tmp_path_factory):
    return models.save_arith(tmp_path_factory.mktemp("arith") / "arith.xml")


@pytest.fixture(scope="session")
def arith(arith_model, tmp_path_factory):
    """A server of the model `arith` that accepts bodies up to 1 MiB."""
    flags = ("--learn", "off", "--max-body", "1MiB", *models.FLAGS)
    with program.Server(tmp_path_factory.mktemp("server"), arith_model, *flags) as server:
        yield server


@pytest.fixture(scope="session")
def recogniser(tmp_path_factory):
    flags = ("--learn", "off", "--name", "recogniser", *models.FLAGS)
    with program.Server(tmp_path_factory.mktemp("server"), models.recogniser(), *flags) as server:
        yield server


@pytest.fixture(scope="session")
def bare_recogniser():
    return models.BareEngine(models.recogniser())
