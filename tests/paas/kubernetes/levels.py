"""Writes levels.json: what the API of each version of Kubernetes knows of the kinds that are
deployed, and nothing else. To be run again for a new version:

    pip download --no-deps kubernetes-validate && unzip kubernetes_validate-*.whl
    python3 levels.py kubernetes_validate/kubernetes-json-schema > levels.json

The package holds the OpenAPI definitions of Kubernetes as JSON Schema, by version. Left out are
descriptions, what only the cluster writes (`status`), and nulls, which are never sent; an unknown
field is a fault. Each definition stands under the version that first had it in this form; `null`
says that a version has it no more.
"""

import json
import pathlib
import re
import sys

FIRST = 30
KINDS = {
    "v1 Namespace": "core.v1.Namespace",
    "v1 Secret": "core.v1.Secret",
    "v1 ConfigMap": "core.v1.ConfigMap",
    "v1 PersistentVolumeClaim": "core.v1.PersistentVolumeClaim",
    "v1 Service": "core.v1.Service",
    "apps/v1 Deployment": "apps.v1.Deployment",
    "apps/v1 StatefulSet": "apps.v1.StatefulSet",
    "batch/v1 Job": "batch.v1.Job",
    "batch/v1 CronJob": "batch.v1.CronJob",
    "networking.k8s.io/v1 Ingress": "networking.v1.Ingress",
    "v1 ResourceQuota": "core.v1.ResourceQuota",
}
KEPT = {"type", "properties", "required", "items", "additionalProperties", "enum", "oneOf"}


def short(name):
    return re.sub(r"^io\.k8s\.(api|apimachinery\.pkg\.apis|apimachinery\.pkg)\.", "", name)


def plain(schema, is_root=False):
    """A schema with nothing but what decides."""
    if "$ref" in schema:
        return {"$ref": "#/$defs/" + short(schema["$ref"].rsplit("/", 1)[1])}
    made = {}
    for key, value in schema.items():
        if key not in KEPT:
            continue
        if key == "properties":
            kept = {name: part for name, part in value.items() if not (is_root and name == "status")}
            value = {name: plain(part) for name, part in sorted(kept.items())}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            value = plain(value)
        elif key == "oneOf":
            value = [plain(part) for part in value]
        elif key == "type" and isinstance(value, list):
            value = next(word for word in value if word != "null")
        elif key == "enum":
            value = [word for word in value if word is not None]
        made[key] = value
    if "properties" in made:
        made["additionalProperties"] = False
    return made


def references(schema):
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].removeprefix("#/$defs/")
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def reachable(everything):
    roots, found = set(KINDS.values()), {}
    left = list(roots)
    while left:
        name = left.pop()
        if name not in found:
            found[name] = plain(everything[name], name in roots)
            left.extend(references(found[name]))
    return found


def main(folder):
    levels = {}
    for path in folder.glob("v1.*.0-local-strict/_definitions.json"):
        minor = int(path.parent.name.split(".")[1])
        if minor >= FIRST:
            definitions = json.loads(path.read_text())["$defs"]
            levels[minor] = reachable({short(name): it for name, it in definitions.items()})
    definitions = {}
    for minor in sorted(levels):
        for name in sorted(definitions.keys() | levels[minor].keys()):
            forms = definitions.setdefault(name, {})
            form = levels[minor].get(name)
            if not forms and form is None:
                continue
            if not forms or list(forms.values())[-1] != form:
                forms[f"1.{minor}"] = form
    lines = [
        f"  {json.dumps(name)}: {json.dumps(definitions[name], separators=(',', ':'))}"
        for name in sorted(definitions)
    ]
    print('{"levels": ' + json.dumps([f"1.{minor}" for minor in sorted(levels)]) + ",")
    print('"kinds": ' + json.dumps(KINDS) + ",")
    print('"definitions": {\n' + ",\n".join(lines) + "\n}}")


main(pathlib.Path(sys.argv[1]))
