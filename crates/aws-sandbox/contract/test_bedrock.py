"""Bedrock: the sandbox's answers have the shapes of botocore's service model, and the routes of the data."""

import json
import pathlib
import re
import urllib.error
import urllib.parse
import urllib.request

import botocore.session
import pytest

DATA = pathlib.Path(__file__).resolve().parents[1] / "data/inference-profiles.json"
MODEL = botocore.session.get_session().get_service_model("bedrock")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

# Where the real service breaks its own model: it answers a type that the enum lacks.
BEYOND_ENUMS = {"InferenceType": {"INFERENCE_PROFILE"}}


def ask(sandbox, path, region="us-east-1", body=None):
    """Status, headers and JSON of a plain request, as no client's parser forgives or drops anything here."""
    scope = f"AWS4-HMAC-SHA256 Credential=AKID/20261121/{region}/bedrock/aws4_request, SignedHeaders=host, Signature=0"
    request = urllib.request.Request(sandbox.url + path, data=body, headers={"Authorization": scope})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.headers, json.load(error)


def tags_of(sandbox, arn, region="us-east-1"):
    return ask(sandbox, "/listTagsForResource", region, json.dumps({"resourceARN": arn}).encode())


def faults(shape, value, place):
    """What in a JSON value does not conform to the shape."""
    if shape.type_name == "structure":
        if not isinstance(value, dict):
            return [f"{place} is no structure"]
        wire = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        missing = [f"{place}.{name} is missing" for name in shape.required_members if name not in value]
        unknown = [f"{place}.{name} is unknown" for name in value if name not in wire]
        inner = [faults(wire[name], item, f"{place}.{name}") for name, item in value.items() if name in wire]
        return missing + unknown + sum(inner, [])
    if shape.type_name == "list":
        if not isinstance(value, list):
            return [f"{place} is no list"]
        return sum((faults(shape.member, item, f"{place}[{at}]") for at, item in enumerate(value)), [])
    if shape.type_name == "timestamp":
        return [] if isinstance(value, str) and TIMESTAMP.fullmatch(value) else [f"{place} is no timestamp: {value}"]
    if shape.type_name == "string":
        allowed = set(shape.enum) | BEYOND_ENUMS.get(shape.name, set())
        fine = isinstance(value, str) and value and (not shape.enum or value in allowed)
        return [] if fine else [f"{place} is no {shape.name}: {value!r}"]
    return [f"{place} has the unexpected type {shape.type_name}"]


def assert_conforms(operation, answer):
    assert faults(MODEL.operation_model(operation).output_shape, answer, operation) == []


def test_the_check_finds_what_does_not_conform():
    found = faults(MODEL.operation_model("GetInferenceProfile").output_shape, {"status": "GONE", "x": 1}, "P")
    assert "P.inferenceProfileArn is missing" in found
    assert "P.x is unknown" in found
    assert any(fault.startswith("P.status is no InferenceProfileStatus") for fault in found)


def test_every_profile_answers_its_routes_in_every_source_region(sandbox):
    pairs = 0
    for identifier, profile in json.loads(DATA.read_text())["profiles"].items():
        model = profile["modelId"]
        for region, destinations in profile["routes"].items():
            status, _, answer = ask(sandbox, f"/inference-profiles/{urllib.parse.quote(identifier, safe='')}", region)
            assert status == 200
            assert_conforms("GetInferenceProfile", answer)
            regions = ["", region] if destinations == ["*"] else destinations
            expected = [f"arn:aws:bedrock:{at}::foundation-model/{model}" for at in regions]
            assert [entry["modelArn"] for entry in answer["models"]] == expected
            assert answer["inferenceProfileArn"] == f"arn:aws:bedrock:{region}:111122223333:inference-profile/{identifier}"
            pairs += 1
    assert pairs == 1492


def test_the_lists_conform_and_are_paginated(sandbox):
    bedrock = sandbox.client("bedrock", "eu-west-1")
    _, _, whole = ask(sandbox, "/inference-profiles", "eu-west-1")
    assert_conforms("ListInferenceProfiles", whole)
    pages = bedrock.get_paginator("list_inference_profiles").paginate(PaginationConfig={"PageSize": 7})
    summaries = [summary["inferenceProfileId"] for page in pages for summary in page["inferenceProfileSummaries"]]
    assert summaries == [summary["inferenceProfileId"] for summary in whole["inferenceProfileSummaries"]]
    assert len(summaries) > 40
    _, _, models = ask(sandbox, "/foundation-models?byInferenceType=ON_DEMAND", "eu-west-1")
    assert_conforms("ListFoundationModels", models)
    assert [model["modelId"] for model in models["modelSummaries"]] == ["amazon.titan-embed-text-v2:0"]


def test_application_profiles_and_their_tags_conform(sandbox):
    arn = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3d4e5f6"
    _, _, answer = ask(sandbox, f"/inference-profiles/{urllib.parse.quote(arn, safe='')}")
    assert_conforms("GetInferenceProfile", answer)
    assert answer["type"] == "APPLICATION"
    _, _, listed = ask(sandbox, "/inference-profiles?type=APPLICATION")
    assert [summary["inferenceProfileArn"] for summary in listed["inferenceProfileSummaries"]] == [arn]
    _, _, tags = tags_of(sandbox, arn)
    assert_conforms("ListTagsForResource", tags)
    assert tags == {"tags": [{"key": "team", "value": "a"}]}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("provisioned-model", [{"key": "team", "value": "a"}]),
        ("imported-model", [{"key": "team", "value": "a"}]),
        ("custom-model-deployment", []),
    ],
)
def test_the_tags_of_what_belongs_to_an_account_conform(sandbox, kind, expected):
    arn = f"arn:aws:bedrock:us-east-1:111122223333:{kind}/abcdefghijkl"
    pattern = MODEL.shape_for("TaggableResourcesArn").metadata["pattern"]
    assert re.fullmatch(pattern, arn)
    status, _, answer = tags_of(sandbox, arn)
    assert_conforms("ListTagsForResource", answer)
    assert (status, answer) == (200, {"tags": expected})
    declared = {shape.name for shape in MODEL.operation_model("ListTagsForResource").error_shapes}
    status, headers, _ = tags_of(sandbox, arn, "us-west-2")
    assert (status, headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")
    assert "ResourceNotFoundException" in declared


def test_tags_are_added_and_removed_as_the_model_says(sandbox):
    arn = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/tagged000000"
    declare = urllib.request.Request(f"{sandbox.url}/_sandbox/resources/{arn}", data=b'{"tags": {}}', method="PUT")
    declare.add_header("Content-Type", "application/json")
    assert urllib.request.urlopen(declare, timeout=10).status == 204
    tag = {"key": "bedrockaccess.io/namespaces", "value": "prod/team-a team-b"}
    for operation, rest in [("TagResource", {"tags": [tag, {"key": "k", "value": ""}]}), ("UntagResource", {"tagKeys": ["k"]})]:
        model = MODEL.operation_model(operation)
        body = {"resourceARN": arn, **rest}
        assert (model.http["method"], set(body)) == ("POST", set(model.input_shape.required_members))
        status, _, answer = ask(sandbox, model.http["requestUri"], body=json.dumps(body).encode())
        assert status == model.http["responseCode"]
        assert_conforms(operation, answer)
    # As a person does it: botocore serialises what the sandbox reads.
    bedrock = sandbox.client("bedrock")
    assert bedrock.list_tags_for_resource(resourceARN=arn)["tags"] == [tag]
    bedrock.untag_resource(resourceARN=arn, tagKeys=[tag["key"]])
    bedrock.tag_resource(resourceARN=arn, tags=[{"key": "a", "value": "1"}])
    assert bedrock.list_tags_for_resource(resourceARN=arn)["tags"] == [{"key": "a", "value": "1"}]


ARN = "arn:aws:bedrock:us-east-1:111122223333:custom-model-deployment/abcdefghijkl"


@pytest.mark.parametrize(
    ("operation", "body", "code"),
    [
        ("TagResource", {"resourceARN": ARN.replace("abc", "xyz"), "tags": []}, "ResourceNotFoundException"),
        ("TagResource", {"resourceARN": ARN, "tags": [{"key": f"k{n}", "value": ""} for n in range(51)]}, "TooManyTagsException"),
        ("TagResource", {"resourceARN": ARN, "tags": [{"key": "k!", "value": ""}]}, "ValidationException"),
        ("TagResource", {"resourceARN": ARN}, "ValidationException"),
        ("UntagResource", {"resourceARN": ARN.replace("abc", "xyz"), "tagKeys": []}, "ResourceNotFoundException"),
        ("UntagResource", {"resourceARN": ARN}, "ValidationException"),
        ("UntagResource", {}, "ValidationException"),
    ],
)
def test_a_refused_tag_is_a_declared_error(sandbox, operation, body, code):
    model = MODEL.operation_model(operation)
    status, headers, answer = ask(sandbox, model.http["requestUri"], body=json.dumps(body).encode())
    declared = {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in model.error_shapes}
    assert (headers["x-amzn-errortype"], answer["__type"], status) == (code, code, declared[code])


@pytest.mark.parametrize("identifier", ["amazon.nova-2-lite-v1:0", "amazon.nova-micro-v1:0", "amazon.titan-embed-text-v2:0"])
def test_a_model_conforms(sandbox, identifier):
    status, _, answer = ask(sandbox, f"/foundation-models/{urllib.parse.quote(identifier, safe='')}")
    assert status == 200
    assert_conforms("GetFoundationModel", answer)


@pytest.mark.parametrize(
    ("operation", "path", "region", "code"),
    [
        ("GetInferenceProfile", "/inference-profiles/us.amazon.nova-2-lite-v1%3A0", "eu-central-1", "ResourceNotFoundException"),
        ("GetInferenceProfile", "/inference-profiles/a%20b", "us-east-1", "ValidationException"),
        ("ListInferenceProfiles", "/inference-profiles?maxResults=0", "us-east-1", "ValidationException"),
        ("GetFoundationModel", "/foundation-models/amazon.nova-3", "us-east-1", "ResourceNotFoundException"),
    ],
)
def test_an_error_is_declared_and_has_its_status(sandbox, operation, path, region, code):
    status, headers, body = ask(sandbox, path, region)
    declared = {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in MODEL.operation_model(operation).error_shapes}
    assert (headers["x-amzn-errortype"], body["__type"], status) == (code, code, declared[code])
    assert body["message"]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("Throttle", "ThrottlingException"),
        ("Internal", "InternalServerException"),
        ("Unavailable", "ServiceUnavailableException"),
        ("AccessDenied", "AccessDeniedException"),
    ],
)
def test_a_fault_on_demand_is_declared_and_ends_when_it_is_used_up(sandbox, kind, code):
    fault = {"service": "bedrock", "operation": "GetInferenceProfile", "kind": kind, "times": 1}
    request = urllib.request.Request(sandbox.url + "/_sandbox/faults", data=json.dumps(fault).encode())
    request.add_header("Content-Type", "application/json")
    assert urllib.request.urlopen(request, timeout=10).status == 204
    bedrock = sandbox.client("bedrock")
    profile = {"inferenceProfileIdentifier": "us.amazon.nova-2-lite-v1:0"}
    with pytest.raises(getattr(bedrock.exceptions, code)):
        bedrock.get_inference_profile(**profile)
    assert bedrock.get_inference_profile(**profile)["status"] == "ACTIVE"
