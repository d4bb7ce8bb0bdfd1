"""The two AWSs that are compared: the sandbox's binary and a moto server."""

import os
import pathlib
import subprocess

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
SEED = pathlib.Path(__file__).with_name("seed.json")


class Endpoint:
    """An address that speaks AWS."""

    def __init__(self, url):
        self.url = url

    def client(self, service, region="us-east-1"):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=10),
        )


@pytest.fixture(scope="session")
def sandbox():
    binary = os.environ.get("AWS_SANDBOX_BIN", str(REPOSITORY / "target/debug/aws-sandbox"))
    process = subprocess.Popen([binary, "--seed", SEED], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert "http://" in line, f"{binary} printed {line!r}"
        yield Endpoint(line.split()[-1])
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture(scope="session")
def moto():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Endpoint(f"http://{host}:{port}")
    finally:
        server.stop()
