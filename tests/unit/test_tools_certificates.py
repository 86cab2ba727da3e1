"""The certificates of a control plane say what Kubernetes reads from them."""

import ipaddress
import stat

from cryptography import x509
from cryptography.x509 import oid, verification

from tools import certificates


def read(pair):
    return x509.load_pem_x509_certificate(pair.certificate.read_bytes())


def test_a_client_is_a_user_in_groups(tmp_path):
    client = read(certificates.Authority(tmp_path, "ca").client("x", "jane", ["a", "b"]))
    assert client.subject.rfc4514_string() == "CN=jane,O=b,O=a"


def test_a_server_is_trusted_under_its_names(tmp_path):
    authority = certificates.Authority(tmp_path, "ca")
    server = read(authority.server("server", ["127.0.0.1", "localhost"]))
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("127.0.0.1")]
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    store = verification.Store([x509.load_pem_x509_certificate(authority.certificate.read_bytes())])
    verifier = verification.PolicyBuilder().store(store).time(certificates.BEGIN)
    verifier.build_server_verifier(x509.DNSName("localhost")).verify(server, [])


def test_a_client_certificate_serves_no_server(tmp_path):
    client = read(certificates.Authority(tmp_path, "ca").client("x", "jane", []))
    usage = client.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [oid.ExtendedKeyUsageOID.CLIENT_AUTH]


def test_a_key_is_for_its_owner_only(tmp_path):
    path = certificates.write_key(tmp_path / "a.key", certificates.new_key())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
