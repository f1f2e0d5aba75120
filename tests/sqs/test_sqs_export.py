"""What `export` prints for AWS: a stack made of it is what `provision` creates."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.support.generate import run
from tests.support.rights import service

from runtime.sqs import SqsSettings, SqsTransport  # isort: skip  - assembled by the support

REGION = "eu-central-1"
ARNS = "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}"
SERVICE = service("order.placed", "payment.captured")


def exported() -> Any:
    return json.loads(SqsTransport(SERVICE, SqsSettings(region=REGION)).export(SERVICE, "orders"))


@pytest.mark.filterwarnings("ignore:Tried to parse")  # what this imitation leaves out is below
@mock_aws
def test_a_stack_of_what_is_exported_has_topics_queues_and_rights(monkeypatch: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    sns, sqs, iam, stacks = (
        boto3.client(name, region_name=REGION) for name in ("sns", "sqs", "iam", "cloudformation")
    )
    fifo = {"FifoTopic": "true"}
    sns.create_topic(Name="payment-captured.fifo", Attributes=fifo)
    iam.create_role(RoleName="orders", AssumeRolePolicyDocument="{}")

    stacks.create_stack(
        StackName="orders", TemplateBody=json.dumps(exported()), Capabilities=["CAPABILITY_IAM"]
    )

    topics = {one["TopicArn"].rpartition(":")[2] for one in sns.list_topics()["Topics"]}
    assert topics == {"payment-captured.fifo", "order-placed.fifo"}
    urls = {url.rpartition("/")[2]: url for url in sqs.list_queues()["QueueUrls"]}
    assert urls.keys() == {"orders_in.fifo", "orders_in_dead.fifo"}
    wanted = {"QueueUrl": urls["orders_in.fifo"], "AttributeNames": ["All"]}
    attributes = sqs.get_queue_attributes(**wanted)["Attributes"]
    assert attributes["FifoThroughputLimit"] == "perMessageGroupId"
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"].endswith(":orders_in_dead.fifo")
    assert len(iam.list_attached_role_policies(RoleName="orders")["AttachedPolicies"]) == 1


def test_what_is_exported_is_a_template_of_cloudformation(tmp_path: Path) -> None:
    """By the schemas of AWS's own linter: all of it, also what the stack above leaves out."""
    file = tmp_path / "template.json"
    file.write_text(json.dumps(exported()))

    found = run(
        Path(sys.executable).with_name("cfn-lint"),
        "--regions",
        REGION,
        "--template",
        file,
        cwd=tmp_path,
    )

    assert (found.returncode, found.stdout) == (0, "")


def test_a_queue_takes_what_the_topic_of_others_publishes_as_it_is() -> None:
    resources = exported()["Resources"]
    subscription = resources["SubscriptionOrdersInFifo"]["Properties"]
    topic = {"Fn::Sub": f"{ARNS}:payment-captured.fifo"}
    assert subscription["TopicArn"] == topic
    assert subscription["Endpoint"] == {"Fn::GetAtt": ["QueueOrdersInFifo", "Arn"]}
    assert subscription["RawMessageDelivery"] is True
    policy = resources["QueueOrdersInFifoPolicy"]["Properties"]["PolicyDocument"]
    [statement] = policy["Statement"]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": topic}}


def test_the_exported_rights_are_those_of_the_generated_policy() -> None:
    """Which names all of a service's queues, where the template names each."""
    statements = exported()["Resources"]["Policy"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    assert allowed == {
        *("sns:Publish", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"),
        *("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        *("sqs:GetQueueUrl", "sqs:ReceiveMessage"),
    }
    [publish] = [one for one in statements if one["Action"] == ["sns:Publish"]]
    assert publish["Resource"] == [{"Ref": "TopicOrderPlacedFifo"}]
