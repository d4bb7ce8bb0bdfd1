"""Where moto differs from AWS, so that only the sandbox is asked. Each test's text says what moto does instead."""

import re

import pytest
from botocore.exceptions import ClientError

from cases import TRUST, policy


@pytest.fixture
def iam(sandbox):
    return sandbox.client("iam")


def create(iam, name, **parameters):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **parameters)["Role"]


def refused(call, **parameters):
    """The declared error's status must be that of botocore's model, where it is declared."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error["Error"]["Message"]


def test_the_inline_policies_of_a_role_have_a_quota(iam):
    """moto has none."""
    create(iam, "quota")
    resource = "arn:aws:bedrock:::foundation-model/" + "m" * 4000
    for name in ("a", "b"):
        iam.put_role_policy(RoleName="quota", PolicyName=name, PolicyDocument=policy(Resource=[resource]))
    status, code, message = refused(
        iam.put_role_policy, RoleName="quota", PolicyName="c", PolicyDocument=policy(Resource=[resource])
    )
    assert (status, code) == (409, "LimitExceeded")
    assert message == "Maximum policy size of 10240 bytes exceeded for role quota"
    spacious = policy() + " " * 100_000
    iam.put_role_policy(RoleName="quota", PolicyName="c", PolicyDocument=spacious)
    assert iam.list_role_policies(RoleName="quota")["PolicyNames"] == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["AWSReservedSSO_Admin_0123456789abcdef", "AWSServiceRoleForSupport"])
def test_the_roles_of_aws_are_protected(iam, name):
    """moto protects none."""
    assert iam.get_role(RoleName=name)["Role"]["RoleName"] == name
    for answer in (
        refused(iam.put_role_policy, RoleName=name, PolicyName="p", PolicyDocument=policy()),
        refused(iam.delete_role_policy, RoleName=name, PolicyName="p"),
        refused(iam.delete_role, RoleName=name),
    ):
        assert answer[:2] == (400, "UnmodifiableEntity")
        assert f"protected role '{name}'" in answer[2]


def test_policies_are_listed_page_by_page(iam):
    """moto lists them all on one page."""
    create(iam, "many-policies")
    names = [f"p{number}" for number in range(5)]
    for name in names:
        iam.put_role_policy(RoleName="many-policies", PolicyName=name, PolicyDocument=policy())
    pages = iam.get_paginator("list_role_policies").paginate(RoleName="many-policies", PaginationConfig={"PageSize": 2})
    assert [page["PolicyNames"] for page in pages] == [names[:2], names[2:4], names[4:]]


def test_an_account_is_shown_page_by_page(iam):
    """moto shows it all on one page."""
    for number in range(3):
        create(iam, f"shown{number}")
    answer = iam.get_account_authorization_details(Filter=["Role"], MaxItems=2)
    assert (len(answer["RoleDetailList"]), answer["IsTruncated"]) == (2, True)
    details = iam.get_paginator("get_account_authorization_details").paginate(
        Filter=["Role"], PaginationConfig={"PageSize": 2}
    )
    names = [detail["RoleName"] for page in details for detail in page["RoleDetailList"]]
    assert len(names) == len(set(names)) and {f"shown{number}" for number in range(3)} <= set(names)


def test_a_foreign_marker_is_refused(iam):
    """moto counts, and fails on anything but a number."""
    assert refused(iam.list_roles, Marker="?")[:2] == (400, "ValidationError")


def test_names_are_validated(iam):
    """moto takes every name."""
    for name in ("a/b", "a" * 65):
        assert refused(iam.get_role, RoleName=name)[:2] == (400, "ValidationError"), name
    create(iam, "named")
    answer = refused(iam.put_role_policy, RoleName="named", PolicyName="a b", PolicyDocument=policy())
    assert answer[:2] == (400, "ValidationError")


def test_role_names_are_unique_whatever_their_case(iam):
    """moto tells the cases apart."""
    create(iam, "Cased")
    answer = refused(iam.create_role, RoleName="cASED", AssumeRolePolicyDocument=TRUST)
    assert answer[:2] == (409, "EntityAlreadyExists")


def test_a_trust_policy_is_validated(iam):
    """moto does so only when it is updated."""
    answer = refused(iam.create_role, RoleName="trust", AssumeRolePolicyDocument=policy())
    assert answer[:2] == (400, "MalformedPolicyDocument")


def test_only_get_role_says_when_the_role_was_last_used(iam):
    """moto says it after CreateRole too."""
    assert "RoleLastUsed" not in create(iam, "used")
    assert iam.get_role(RoleName="used")["Role"]["RoleLastUsed"] == {}


def test_a_permissions_boundary_is_of_the_type_policy(iam):
    """moto calls the type PermissionsBoundaryPolicy, as the model's enum does; AWS answers Policy."""
    boundary = "arn:aws:iam::111122223333:policy/limit"
    create(iam, "bounded", PermissionsBoundary=boundary)
    expected = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    assert iam.get_role(RoleName="bounded")["Role"]["PermissionsBoundary"] == expected


def test_a_sid_is_alphanumeric(iam):
    """moto takes every string."""
    create(iam, "sid")
    answer = refused(iam.put_role_policy, RoleName="sid", PolicyName="p", PolicyDocument=policy(Sid="a-b"))
    assert answer[:2] == (400, "MalformedPolicyDocument")


def test_a_role_has_fifty_tags_at_most(iam):
    """moto counts only those of one request."""
    create(iam, "full", Tags=[{"Key": f"k{number}", "Value": ""} for number in range(50)])
    assert refused(iam.tag_role, RoleName="full", Tags=[{"Key": "one-more", "Value": ""}])[:2] == (409, "LimitExceeded")


def test_every_answer_carries_its_request_id(iam):
    """moto sends the same id in many answers."""
    first, second = (iam.list_roles()["ResponseMetadata"] for _ in range(2))
    for metadata in (first, second):
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata["RequestId"])
        assert metadata["HTTPHeaders"]["x-amzn-requestid"] == metadata["RequestId"]
    assert first["RequestId"] != second["RequestId"]


def test_error_codes_have_the_status_of_the_service_model(iam):
    """Not compared with moto but with botocore: every code that IAM's model declares has its status."""
    errors = {
        shape.metadata["error"]["code"]: shape.metadata["error"]["httpStatusCode"]
        for shape in iam.meta.service_model.error_shapes
        if "error" in shape.metadata
    }
    create(iam, "codes")
    for call, parameters in (
        (iam.get_role, {"RoleName": "no-such-role"}),
        (iam.create_role, {"RoleName": "codes", "AssumeRolePolicyDocument": TRUST}),
        (iam.put_role_policy, {"RoleName": "codes", "PolicyName": "p", "PolicyDocument": "{}"}),
        (iam.delete_role, {"RoleName": "AWSServiceRoleForSupport"}),
    ):
        status, code, _ = refused(call, **parameters)
        assert errors[code] == status
