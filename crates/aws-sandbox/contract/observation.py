"""Calls as transcripts: what was answered, without what may differ from one AWS to another."""

import datetime
import re

from botocore.exceptions import ClientError

ROLE_ID = re.compile(r"AROA[A-Z0-9]{17}")
ACCOUNT = re.compile(r"(?<=:)[0-9]{12}(?=:)|^[0-9]{12}$")


# RoleLastUsed: moto answers it after CreateRole too, AWS only after GetRole (tested on the sandbox alone).
UNCOMPARED = {"ResponseMetadata", "RoleLastUsed"}


class Transcript:
    """Calls a client and writes down each answer."""

    def __init__(self, client):
        self.client = client
        self.steps = []

    def call(self, operation, **parameters):
        """The raw answer; `{}` for an error, which stands in the transcript."""
        try:
            answer = getattr(self.client, operation)(**parameters)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            self.steps.append((operation, status, error.response["Error"]["Code"]))
            return {}
        self.steps.append((operation, answer["ResponseMetadata"]["HTTPStatusCode"], normalised(answer)))
        return answer

    def pages(self, operation, key, **parameters):
        """All items of a paginated list; the transcript holds the pages' sizes and the sorted items."""
        pages = list(self.client.get_paginator(operation).paginate(**parameters))
        items = [item for page in pages for item in page[key]]
        self.steps.append((operation, [len(page[key]) for page in pages], normalised(items)))
        return items

    def statuses(self):
        return [step[1] for step in self.steps if isinstance(step[1], int)]


def normalised(value):
    """The value with lists sorted, and with accounts, ids and times replaced after a check of their form."""
    if isinstance(value, dict):
        return {key: normalised_member(key, item) for key, item in value.items() if key not in UNCOMPARED}
    if isinstance(value, list):
        return sorted((normalised(item) for item in value), key=repr)
    if isinstance(value, datetime.datetime):
        assert value.tzinfo is not None
        return "TIME"
    if isinstance(value, str):
        return ACCOUNT.sub("ACCOUNT", value)
    return value


def normalised_member(key, value):
    if key == "RoleId":
        assert ROLE_ID.fullmatch(value), value
        return "ROLE-ID"
    if key in ("Marker", "NextMarker"):
        assert value
        return "MARKER"
    # A policy's list order is its own: it is a document, not a set of answers.
    if key in ("PolicyDocument", "AssumeRolePolicyDocument"):
        return value
    return normalised(value)
