"""Read documents as the wire models do and write them again. Imports shared and pydantic alone, so that it also runs
with another pydantic: `python -m tests.contract.wire_reading < documents.json`."""

import importlib
import json
import pkgutil
import sys
from typing import Any

import pydantic
from pydantic import BaseModel, ValidationError

import shared

Documents = dict[str, list[Any]]


def wire_models() -> dict[str, type[BaseModel]]:
    modules = [importlib.import_module(found.name) for found in pkgutil.walk_packages(shared.__path__, "shared.")]
    return {
        f"{module.__name__}.{name}": model
        for module in modules
        for name, model in vars(module).items()
        if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == module.__name__
    }


def read_all(documents: Documents) -> dict[str, Any]:
    """What every model makes of its documents, and how it describes itself."""
    models = wire_models()
    return {
        "pydantic": pydantic.VERSION,
        "written": {name: [_written(models[name], document) for document in documents[name]] for name in documents},
        "described": {name: _described(model) for name, model in models.items()},
    }


def _written(model: type[BaseModel], document: Any) -> Any:
    """The document as it is written again; of a refused one, where and why."""
    try:
        return model.model_validate_json(json.dumps(document)).model_dump_json()
    except ValidationError as refusal:
        return [[list(error["loc"]), error["type"]] for error in refusal.errors()]


def _described(model: type[BaseModel]) -> list[Any]:
    return [model.model_json_schema(mode=mode) for mode in ("validation", "serialization")]


if __name__ == "__main__":
    json.dump(read_all(json.load(sys.stdin)), sys.stdout)
