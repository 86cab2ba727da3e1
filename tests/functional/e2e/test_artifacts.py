"""What is kept of a spec that failed holds no secret."""

import json

from e2e import artifacts
from e2e.cloud import Account, Fake

SECRET = "c2VjcmV0"


def test_user_data_is_kept_nowhere(tmp_path):
    with Fake(tmp_path / "cloud") as fake:
        image = fake.rows("Images")[0]["ImageId"]
        account = Account(fake.environment)
        account.call("CreateVms", ImageId=image, UserData=SECRET)
        for cloud in (fake, account):
            kept = [artifacts.redacted(content) for _, content in cloud.artifacts()]
            assert "CreateVms" in json.dumps(kept)
            assert SECRET not in json.dumps(kept)
    written = artifacts.redacted([{"UserData": SECRET, "VmType": "tinav6.c1r1p1"}])
    assert written == [{"UserData": artifacts.HIDDEN, "VmType": "tinav6.c1r1p1"}]
