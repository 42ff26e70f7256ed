"""The OpenAPI document of llmx serve, as another's reader of such documents sees it: URL in the arguments."""

import json
import sys
import urllib.request
from importlib.metadata import version

from openapi_spec_validator import OpenAPIV31SpecValidator

document = json.load(urllib.request.urlopen(sys.argv[1] + "/v1/openapi.json"))
OpenAPIV31SpecValidator(document).validate()
operations = [o["operationId"] for path in document["paths"].values() for o in path.values()]
assert len(operations) == len(set(operations)) > 10, operations
print("openapi-spec-validator", version("openapi-spec-validator"), len(operations), "operations ok")
