"""What is kept of a spec that failed holds no secret, and is kept whatever came to grief."""

import json
from pathlib import Path

from e2e import artifacts
from e2e.cloud import KEYS, Account, Fake, Footprint
from e2e.cluster import Cluster
from e2e.command import Clusterctl, Kubectl
from e2e.kube import Kube

SECRET = "c2VjcmV0"
NOBODY = "http://127.0.0.1:9"
FALSE = Path("/bin/false")


class Lost:
    """A management cluster that does not answer any more; of it only a log is left."""

    core = "cluster.x-k8s.io/v1beta2"
    cannot_crash = "It is lost."
    ended = ()

    def __init__(self, folder):
        """Write the log, in which somebody wrote what nobody should."""
        self.kubeconfig = folder / "kubeconfig"
        self.kubectl = Kubectl(FALSE, self.kubeconfig)
        self.clusterctl = Clusterctl(FALSE, folder, self.kubeconfig, folder)
        self.kube = Kube(NOBODY)
        self.log = folder / "manager.log"
        self.log.write_text(f"panic; the key is {KEYS['OSC_SECRET_KEY']}\n")

    def crash(self):
        """Do nothing: it is lost."""

    def processes(self):
        """Give its only log."""
        yield self.log


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


def test_what_can_still_be_kept_is_kept_when_the_management_cluster_is_lost(tmp_path):
    own = tmp_path / "own" / "elsewhere"
    own.mkdir(parents=True)
    (own / "etcd.log").write_text("no space left\n")
    kept = tmp_path / "kept"
    with Fake(tmp_path / "cloud") as fake:
        fake.call("CreateNet", IpRange="10.0.0.0/16")
        cluster = Cluster(Lost(tmp_path), "space", "name", Footprint(fake, "name"))
        artifacts.keep(kept, cluster, fake, ["a story"], own.parent)
    names = {str(each.relative_to(kept)) for each in kept.rglob("*") if each.is_file()}
    assert names == {
        "story.txt",
        "missing.txt",
        "cloud-journal.json",
        "cloud-state.json",
        "logs/fakecloud.log",
        "logs/manager.log",
        "logs/elsewhere-etcd.log",
    }
    missing = [line.split(":")[0] for line in (kept / "missing.txt").read_text().splitlines()]
    assert {"objects", "events", "plan"} <= set(missing)
    assert "panic" in (kept / "logs" / "manager.log").read_text()
    assert not [name for name in names if KEYS["OSC_SECRET_KEY"] in (kept / name).read_text()]


def test_of_a_kubeadm_config_nothing_is_kept_that_opens_anything():
    token = {"bootstrapToken": {"token": SECRET, "apiServerEndpoint": "10.0.0.1:6443"}}
    shown = artifacts.redacted({"discovery": token, "certificateKey": SECRET, "passwd": SECRET})
    assert SECRET not in json.dumps(shown)
    assert "10.0.0.1:6443" in json.dumps(shown)
