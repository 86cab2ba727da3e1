"""Who we are to Kubernetes: pods, kubeconfigs of every sort, and what is said when none fits."""

import base64
import ssl
import stat
import sys

import pytest
import yaml

from provider.kube import auth
from tools import certificates


def coded(text):
    return base64.b64encode(text.encode()).decode()


def write(folder, who, cluster=None, **context):
    content = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", **context}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://k:6443/", **(cluster or {})}}],
        "users": [{"name": "u", "user": who}],
    }
    path = folder / "config"
    path.write_text(yaml.safe_dump(content))
    return path


def access(folder, who, cluster=None, **context):
    return auth.Kubeconfig(write(folder, who, cluster, **context), {}).access()


def test_a_token(tmp_path):
    found = access(tmp_path, {"token": "secret-token"}, namespace="here")
    assert found.headers() == {"Authorization": "Bearer secret-token"}
    assert (found.server, found.namespace) == ("https://k:6443", "here")


def test_a_token_in_a_file_beside_the_kubeconfig(tmp_path):
    (tmp_path / "token").write_text("first\n")
    source = auth.Kubeconfig(write(tmp_path, {"tokenFile": "token"}), {})
    assert source.access().token == "first"
    (tmp_path / "token").write_text("second\n")
    assert source.access().token == "second"


def test_a_password(tmp_path):
    found = access(tmp_path, {"username": "me", "password": "pass"})
    assert found.headers() == {"Authorization": f"Basic {coded('me:pass')}"}


def test_nobody(tmp_path):
    assert access(tmp_path, {}).headers() == {}


def test_a_client_certificate_in_the_file_or_beside_it(tmp_path):
    authority = certificates.Authority(tmp_path, "ca")
    pair = authority.client("me", "me", ["people"])
    inside = access(
        tmp_path,
        {
            "client-certificate-data": coded(pair.certificate.read_text()),
            "client-key-data": coded(pair.key.read_text()),
        },
        {"certificate-authority-data": coded(authority.certificate.read_text())},
    )
    beside = access(
        tmp_path,
        {"client-certificate": pair.certificate.name, "client-key": pair.key.name},
        {"certificate-authority": str(authority.certificate)},
    )
    assert inside == beside
    assert inside.tls().verify_mode is ssl.CERT_REQUIRED


def test_any_certificate_of_the_server_will_do_when_told_so(tmp_path):
    found = access(tmp_path, {}, {"insecure-skip-tls-verify": True})
    assert found.tls().verify_mode is ssl.CERT_NONE


def plugin(folder, code, **more):
    path = folder / "plugin"
    path.write_text(f"#!{sys.executable}\n{code}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": auth.EXEC_VERSIONS[0], "command": "./plugin", **more}}


def test_an_exec_plugin_says_who_we_are_and_for_how_long(tmp_path):
    code = (
        "import json, os, sys\n"
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "token = f\"{info['kind']}-{os.environ['EXTRA']}-{sys.argv[1]}\"\n"
        "status = {'token': token, 'expirationTimestamp': '2026-01-01T00:00:00Z'}\n"
        "print(json.dumps({'status': status}))"
    )
    extra = [{"name": "EXTRA", "value": "more"}]
    found = access(tmp_path, plugin(tmp_path, code, args=["login"], env=extra))
    assert found.token == "ExecCredential-more-login"
    assert found.expires is not None
    assert found.expires.year == 2026


@pytest.mark.parametrize(
    "code", ["print('secret-output')", "import sys; sys.exit('secret-output')", "print('{}')"]
)
def test_what_a_plugin_printed_is_never_told(tmp_path, code):
    with pytest.raises(auth.AccessError, match="gave no credentials") as refused:
        access(tmp_path, plugin(tmp_path, code))
    assert "secret-output" not in str(refused.value)


def test_a_plugin_of_an_unknown_protocol_is_refused(tmp_path):
    user = plugin(tmp_path, "", apiVersion="client.authentication.k8s.io/v1alpha1")
    with pytest.raises(auth.AccessError, match="Use a newer plugin"):
        access(tmp_path, user)


def test_secrets_do_not_show_in_a_representation(tmp_path):
    found = access(tmp_path, {"token": "secret-token", "password": "secret-pass"})
    assert "secret" not in repr(found)


def test_a_pod_reads_its_token_anew(tmp_path):
    for name, text in (("token", "one\n"), ("ca.crt", "PEM"), ("namespace", "system\n")):
        (tmp_path / name).write_text(text)
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    source = auth.Pod(environment, tmp_path)
    found = source.access()
    assert (found.server, found.token, found.namespace) == (
        "https://[fd00::1]:6443",
        "one",
        "system",
    )
    (tmp_path / "token").write_text("two")
    assert source.access().token == "two"


def test_the_order_in_which_a_way_is_looked_for(tmp_path):
    path = write(tmp_path, {"token": "t"})
    pod = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    assert auth.source(str(path), pod).access().token == "t"
    assert auth.source("", {**pod, "KUBECONFIG": str(path)}).access().token == "t"
    assert isinstance(auth.source("", pod), auth.Pod)
    home = tmp_path / "home"
    (home / ".kube").mkdir(parents=True)
    (home / ".kube" / "config").write_text(path.read_text())
    assert auth.source("", {"HOME": str(home)}).access().token == "t"
    with pytest.raises(auth.AccessError, match="Name a file with --kubeconfig"):
        auth.source("", {"HOME": str(tmp_path)})


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(auth.AccessError, match="cannot be read"):
        auth.Kubeconfig(tmp_path / "none", {}).access()


def test_a_name_that_is_not_there_is_told_with_those_that_are(tmp_path):
    with pytest.raises(auth.AccessError, match="has no user 'me', only u"):
        access(tmp_path, {}, user="me")


@pytest.mark.parametrize(
    "text",
    [
        "token: 'secret-token\n",
        "[secret-token]",
        "secret-token",
        "\udcff secret-token",
        "contexts: {secret-token: 1}",
        "{current-context: c, contexts: [{name: c, context: {cluster: k}}], clusters: [{name: k}]}",
    ],
)
def test_what_is_no_kubeconfig_is_told_without_what_is_in_it(tmp_path, text):
    path = tmp_path / "config"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(auth.AccessError, match="is no kubeconfig") as refused:
        auth.Kubeconfig(path, {}).access()
    assert "secret-token" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_several_kubeconfigs_are_one(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    path = write(other, {"tokenFile": "token"})
    (other / "token").write_text("from beside")
    (one / "config").write_text("{current-context: c, users: []}")
    named = ":".join(str(each) for each in (tmp_path / "none", one / "config", path))
    assert auth.source("", {"KUBECONFIG": named}).access().token == "from beside"


def test_the_first_kubeconfig_that_has_a_name_counts(tmp_path):
    first = write(tmp_path, {"token": "first"})
    (tmp_path / "more").mkdir()
    second = write(tmp_path / "more", {"token": "second"})
    source = auth.source("", {"KUBECONFIG": f"{first}:{second}:"})
    assert source.access().token == "first"


def test_kubeconfigs_none_of_which_exists_are_told(tmp_path):
    with pytest.raises(auth.AccessError, match="a cannot be read"):
        auth.source("", {"KUBECONFIG": f"{tmp_path / 'a'}:{tmp_path / 'b'}"}).access()


@pytest.mark.parametrize("which", ["authority", "key"])
def test_certificates_that_fit_nothing_are_told(tmp_path, which):
    authority = certificates.Authority(tmp_path, "test")
    pair, other = (authority.client(each, each, []) for each in ("me", "another"))
    made = auth.Access(
        "https://k:6443",
        authority="nothing" if which == "authority" else "",
        certificate=pair.certificate.read_text(),
        key=other.key.read_text(),
    )
    with pytest.raises(auth.AccessError, match="do not fit each other"):
        made.tls()
