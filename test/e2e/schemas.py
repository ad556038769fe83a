"""Does a document have what its schema in docs/schema asks for? As much of JSON Schema as those use."""

import json

import program

TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float),
    "null": type(None),
}  # fmt: skip


def load(name):
    return json.loads((program.ROOT / f"docs/schema/{name}.schema.json").read_text())


def check(schema, document, root=None, place="$"):
    root = root or schema
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert isinstance(document, tuple(TYPES[kind] for kind in kinds)), f"{place} is {document!r}"
    if isinstance(document, dict):
        missing = set(schema.get("required", [])) - set(document)
        assert not missing, f"{place} has no {missing}"
        if schema.get("additionalProperties", True) is False:
            assert set(document) <= set(schema["properties"]), f"{place}: {set(document) - set(schema['properties'])}"
        for name, part in schema.get("properties", {}).items():
            if name in document:
                check(part, document[name], root, f"{place}.{name}")
    if isinstance(document, list):
        for number, item in enumerate(document):
            check(schema.get("items", {}), item, root, f"{place}[{number}]")
    assert document in schema.get("enum", [document]), place
    assert document == schema.get("const", document), place
    if isinstance(document, (int, float)):
        assert schema.get("minimum", document) <= document <= schema.get("maximum", document), place
