"""Cases that hold for every AWS. Each is a function of a transcript, with the HTTP statuses that it must see."""

import json

from observation import normalised

CASES = {}

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            }
        ],
    }
)
PROFILE = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/global.amazon.nova-2-lite-v1:0"


def policy(**changes):
    statement = {"Sid": "A", "Effect": "Allow", "Action": ["bedrock:InvokeModel"], "Resource": ["*"]}
    statement.update(changes)
    statement = {element: value for element, value in statement.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def case(*statuses):
    def register(function):
        CASES[function.__name__] = (function, list(statuses))
        return function

    return register


def role(transcript, name, **parameters):
    return transcript.call("create_role", RoleName=name, AssumeRolePolicyDocument=TRUST, **parameters)


@case(200, 200)
def a_role_is_created_and_read(transcript):
    role(transcript, "plain")
    transcript.call("get_role", RoleName="plain")


@case(200, 200)
def a_role_has_path_description_duration_and_tags(transcript):
    tags = [{"Key": "bedrockaccess.io/namespaces", "Value": "prod/team-a"}, {"Key": "Empty", "Value": ""}]
    role(transcript, "rich", Path="/apps/x/", Description="for <team> & äll", MaxSessionDuration=7200, Tags=tags)
    transcript.call("get_role", RoleName="rich")


@case(200, 409)
def a_role_is_not_created_twice(transcript):
    role(transcript, "twice")
    role(transcript, "twice")


@case(404, 404, 404, 404, 404, 404, 404, 404)
def a_missing_role_is_not_found(transcript):
    transcript.call("get_role", RoleName="missing")
    transcript.call("delete_role", RoleName="missing")
    transcript.call("tag_role", RoleName="missing", Tags=[{"Key": "a", "Value": "b"}])
    transcript.call("untag_role", RoleName="missing", TagKeys=["a"])
    transcript.call("list_role_tags", RoleName="missing")
    transcript.call("put_role_policy", RoleName="missing", PolicyName="p", PolicyDocument=policy())
    transcript.call("get_role_policy", RoleName="missing", PolicyName="p")
    transcript.call("list_role_policies", RoleName="missing")


@case(200, 404, 404)
def a_missing_policy_is_not_found(transcript):
    role(transcript, "without-policy")
    transcript.call("get_role_policy", RoleName="without-policy", PolicyName="p")
    transcript.call("delete_role_policy", RoleName="without-policy", PolicyName="p")


@case(200, 200, 200, 200, 200, 200, 200, 200, 404)
def a_policy_is_written_replaced_listed_and_deleted(transcript):
    role(transcript, "writer")
    for actions in (["bedrock:InvokeModel"], ["bedrock:InvokeModel", "bedrock:GetInferenceProfile"]):
        transcript.call("put_role_policy", RoleName="writer", PolicyName="p", PolicyDocument=policy(Action=actions))
        transcript.call("get_role_policy", RoleName="writer", PolicyName="p")
    transcript.call("put_role_policy", RoleName="writer", PolicyName="q", PolicyDocument=policy())
    transcript.call("list_role_policies", RoleName="writer")
    transcript.call("delete_role_policy", RoleName="writer", PolicyName="p")
    transcript.call("get_role_policy", RoleName="writer", PolicyName="p")


@case(200, 200, 200)
def a_document_survives_its_encoding(transcript):
    statements = [
        {"Sid": "A", "Effect": "Allow", "Action": "bedrock:*", "Resource": [PROFILE]},
        {
            "Effect": "Deny",
            "NotAction": "bedrock:Invoke*",
            "NotResource": "arn:aws:bedrock:*::foundation-model/*",
            "Condition": {
                "StringEquals": {"bedrock:InferenceProfileArn": PROFILE, "aws:RequestedRegion": ["unspecified"]},
                "ArnNotLikeIfExists": {"aws:PrincipalArn": "a+b %25 &=?#/ 'é~-_.!*()"},
                "Null": {"bedrock:PromptRouterArn": "true"},
            },
        },
    ]
    document = json.dumps({"Version": "2012-10-17", "Id": "x y", "Statement": statements}, indent=2, ensure_ascii=False)
    role(transcript, "encoder")
    transcript.call("put_role_policy", RoleName="encoder", PolicyName="p", PolicyDocument=document)
    answer = transcript.call("get_role_policy", RoleName="encoder", PolicyName="p")
    assert answer["PolicyDocument"] == json.loads(document)


MALFORMED = {
    "no_json": "no",
    "a_list": "[]",
    "no_statement": '{"Version":"2012-10-17"}',
    "no_version": '{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}',
    "an_unknown_version": '{"Version":"2020-01-01","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}',
    "an_unknown_element": policy(Actions=["s3:*"]),
    "no_effect": policy(Effect=None),
    "an_unknown_effect": policy(Effect="Permit"),
    "no_action": policy(Action=None),
    "no_action_in_the_list": policy(Action=[]),
    "an_action_that_is_a_number": policy(Action=[1]),
    "action_and_not_action": policy(NotAction=["s3:*"]),
    "an_action_without_vendor": policy(Action=["InvokeModel"]),
    "an_action_with_two_colons": policy(Action=["bedrock:Invoke:Model"]),
    "an_action_of_a_malformed_vendor": policy(Action=["bed rock:InvokeModel"]),
    "no_resource": policy(Resource=None),
    "no_resource_in_the_list": policy(Resource=[]),
    "resource_and_not_resource": policy(NotResource=["*"]),
    "a_resource_that_is_no_arn": policy(Resource=["model"]),
    "a_resource_of_an_unknown_partition": policy(Resource=["arn:azure:bedrock:::x"]),
    "a_resource_without_enough_parts": policy(Resource="arn:aws:s3::x"),
    "an_unknown_condition_operator": policy(Condition={"StringIs": {"aws:RequestedRegion": "us-east-1"}}),
    "a_condition_without_keys": policy(Condition={"StringEquals": "x"}),
    "a_sid_twice": json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Sid": "A", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}] * 2,
        }
    ),
}


@case(200, *[400] * len(MALFORMED), 200)
def a_malformed_document_is_refused_and_changes_nothing(transcript):
    role(transcript, "malformed")
    for document in MALFORMED.values():
        transcript.call("put_role_policy", RoleName="malformed", PolicyName="p", PolicyDocument=document)
    transcript.call("list_role_policies", RoleName="malformed")


@case(200, 200, 409, 200, 200, 404)
def a_role_with_policies_is_not_deleted(transcript):
    role(transcript, "conflict")
    transcript.call("put_role_policy", RoleName="conflict", PolicyName="p", PolicyDocument=policy())
    transcript.call("delete_role", RoleName="conflict")
    transcript.call("delete_role_policy", RoleName="conflict", PolicyName="p")
    transcript.call("delete_role", RoleName="conflict")
    transcript.call("get_role", RoleName="conflict")


@case(200, 200, 200, 200, 200, 200)
def tags_are_added_replaced_and_removed(transcript):
    role(transcript, "tagged", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    transcript.call("tag_role", RoleName="tagged", Tags=[{"Key": "a", "Value": "3"}, {"Key": "c/d:e", "Value": "x y"}])
    transcript.call("list_role_tags", RoleName="tagged")
    transcript.call("untag_role", RoleName="tagged", TagKeys=["b", "never-there"])
    transcript.call("list_role_tags", RoleName="tagged")
    transcript.call("get_role", RoleName="tagged")


@case(200, 400, 400, 400, 400, 200)
def tags_out_of_bounds_are_refused(transcript):
    role(transcript, "bounds")
    for tags in (
        [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}],
        [{"Key": "k" * 129, "Value": "v"}],
        [{"Key": "a", "Value": "v" * 257}],
        [{"Key": "a!", "Value": "v"}],
    ):
        transcript.call("tag_role", RoleName="bounds", Tags=tags)
    transcript.call("list_role_tags", RoleName="bounds")


@case(200)
def tags_are_listed_page_by_page(transcript):
    role(transcript, "many-tags", Tags=[{"Key": f"k{number}", "Value": str(number)} for number in range(7)])
    tags = transcript.pages("list_role_tags", "Tags", RoleName="many-tags", PaginationConfig={"PageSize": 3})
    assert len(tags) == 7


@case(*[200] * 8, 200)
def roles_are_listed_page_by_page_and_by_path(transcript):
    for number in range(7):
        role(transcript, f"paged{number}", Path="/paged/")
    role(transcript, "elsewhere", Path="/paged-not/")
    paging = {"PageSize": 2}
    roles = transcript.pages("list_roles", "Roles", PathPrefix="/paged/", PaginationConfig=paging)
    assert len(roles) == 7
    transcript.call("list_roles", PathPrefix="/nothing/")


@case(200, 200)
def a_page_says_that_there_is_more(transcript):
    role(transcript, "more", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    assert transcript.call("list_role_tags", RoleName="more", MaxItems=1)["IsTruncated"]


@case(200, 200, 200, 200)
def an_account_shows_its_roles_with_tags_and_inline_policies(transcript):
    for name in ("detailed1", "detailed2"):
        role(transcript, name, Path="/detailed/", Tags=[{"Key": "a", "Value": "x y"}])
    for name in ("q", "p"):
        transcript.call("put_role_policy", RoleName="detailed1", PolicyName=name, PolicyDocument=policy(Sid=name))
    pages = transcript.client.get_paginator("get_account_authorization_details").paginate(
        Filter=["Role"], PaginationConfig={"PageSize": 3}
    )
    details = [detail for page in pages for detail in page["RoleDetailList"]]
    details = [detail for detail in details if detail["Path"] == "/detailed/"]
    transcript.steps.append(("get_account_authorization_details", "Roles", normalised(details)))
    assert [len(detail["RolePolicyList"]) for detail in details] == [2, 0]


@case(200, 200)
def an_account_is_shown_by_kind(transcript):
    role(transcript, "kind")
    assert transcript.call("get_account_authorization_details", Filter=["User"])["RoleDetailList"] == []


@case(200)
def an_account_says_how_many_roles_it_has(transcript):
    def count():
        return transcript.client.get_account_summary()["SummaryMap"]["Roles"]

    before = count()
    role(transcript, "counted")
    transcript.steps.append(("get_account_summary", "Roles", count() - before))
    assert count() - before == 1
