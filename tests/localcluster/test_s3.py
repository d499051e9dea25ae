from pathlib import Path

import boto3

from localcluster import S3Server


def test_what_is_put_can_be_got_and_lies_in_the_folder(tmp_path: Path) -> None:
    with S3Server(tmp_path) as server:
        client = boto3.client(
            "s3",
            endpoint_url=server.endpoint,
            region_name=server.region,
            aws_access_key_id=server.access_key,
            aws_secret_access_key=server.secret_key,
        )
        client.create_bucket(Bucket="models")
        client.put_object(Bucket="models", Key="tickets/run.json", Body=b"{}")
        assert client.get_object(Bucket="models", Key="tickets/run.json")["Body"].read() == b"{}"
        client.close()
    assert (tmp_path / "models" / "tickets" / "run.json").read_bytes() == b"{}"
