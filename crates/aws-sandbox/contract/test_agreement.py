"""IAM and STS: the sandbox and moto answer the same."""

import pytest

from cases import CASES
from observation import Transcript


@pytest.mark.parametrize("name", CASES)
def test_sandbox_and_moto_agree(name, sandbox, moto):
    function, statuses = CASES[name]
    ours, theirs = Transcript(sandbox.client("iam")), Transcript(moto.client("iam"))
    function(ours)
    function(theirs)
    assert ours.statuses() == statuses
    assert ours.steps == theirs.steps


def test_the_caller_has_an_account_an_arn_and_an_id(sandbox, moto):
    ours = sandbox.client("sts").get_caller_identity()
    theirs = moto.client("sts").get_caller_identity()
    assert ours.keys() == theirs.keys()
    for answer in (ours, theirs):
        assert len(answer["Account"]) == 12
        assert answer["Arn"].split(":")[4] == answer["Account"]
    assert ours["Account"] == "111122223333"


def test_an_unknown_operation_is_refused(sandbox):
    """moto answers it with a page of its own, so only the sandbox is asked."""
    with pytest.raises(sandbox.client("iam").exceptions.ClientError) as refused:
        sandbox.client("iam").get_account_password_policy()
    assert refused.value.response["Error"]["Code"] == "InvalidAction"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
