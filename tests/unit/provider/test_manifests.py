"""The components: what they are made for, and that they fit the manager they run."""

import dataclasses

import click
import pytest
import yaml

from provider import admission, manifests
from provider.api import crd
from provider.manager import options, wiring
from provider.manifests import release, webhooks, workload


def only(kind):
    (found,) = [each for each in manifests.components(manifests.Options()) if each["kind"] == kind]
    return found


def container():
    (found,) = only("Deployment")["spec"]["template"]["spec"]["containers"]
    return found


def written(argument):
    """Return an argument as clusterctl passes it on when no variable is set."""
    flag, _, value = argument.partition("=")
    return f"{flag}={value.partition(':=')[2].removesuffix('}')}" if "${" in value else argument


def chosen():
    """Return the options of a manager that is started with the shipped arguments."""

    @click.command()
    @options.flags
    def manager(**given):
        return options.Options(**given)

    name, *arguments = container()["args"]
    assert name == "manager"
    return manager.main([written(each) for each in arguments], standalone_mode=False)


def test_the_manager_understands_its_arguments():
    assert dataclasses.asdict(chosen()) == {
        **dataclasses.asdict(options.Options()),
        "metrics_bind_address": "0",
        "diagnostics_address": f":{workload.DIAGNOSTICS_PORT}",
        "webhook_cert_dir": workload.CERTIFICATE_FOLDER,
    }


def test_the_ports_are_those_that_the_manager_serves():
    ports = {each["name"]: each["containerPort"] for each in container()["ports"]}
    ours = chosen()
    assert f":{ports['health']}" == ours.health_probe_bind_address
    assert f":{ports['diagnostics']}" == ours.diagnostics_address
    assert ports["webhooks"] == ours.webhook_port


def test_every_service_and_probe_names_a_port_of_the_container():
    names = {each["name"] for each in container()["ports"]}
    everything = manifests.components(manifests.Options())
    services = [each for each in everything if each["kind"] == "Service"]
    assert {each["targetPort"] for one in services for each in one["spec"]["ports"]} < names
    assert container()["livenessProbe"]["httpGet"]["port"] in names
    assert container()["readinessProbe"]["httpGet"]["port"] in names


def test_stopping_is_given_more_time_than_it_takes():
    pod = only("Deployment")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > options.Options().shutdown_timeout + 2


def test_every_path_of_a_webhook_is_served():
    assert set(wiring.REVIEWS) == {"/convert", webhooks.VALIDATE, webhooks.MUTATE}


def test_what_is_filled_in_is_filled_in_only_where_a_webhook_asks():
    """A kind that the webhook would patch, but is never asked about, would keep its gap."""
    patched = {
        kind.name
        for kind in crd.KINDS
        if admission.judge(
            {
                "operation": "CREATE",
                "object": {
                    "apiVersion": "infrastructure.cluster.x-k8s.io/v1beta2",
                    "kind": kind.name,
                    "metadata": {"name": "one"},
                    "spec": {"vm": {}},
                },
            }
        ).patch
    }
    assert patched == set(webhooks.DEFAULTED)


def test_the_image_is_that_of_the_version():
    assert manifests.Options("v0.1.7").image_reference == "docker.io/outscale/caposc:v0.1.7"


@pytest.mark.parametrize("image", ["caposc", "outscale/caposc:v1", "a.example/b:", "a.example/B"])
def test_an_image_without_its_full_name_is_refused(image):
    with pytest.raises(manifests.ReleaseError, match="takes only full names"):
        list(manifests.files(manifests.Options("v0.1.0", image)))


@pytest.mark.parametrize(
    "image",
    ["localhost:5000/a:v1", "a.example/b/c_d:1.0", f"a.example/b@sha256:{'0' * 64}", "a.example/b"],
)
def test_a_full_name_of_an_image_is_taken(image):
    content = dict(manifests.files(manifests.Options("v0.1.0", image)))
    assert f"image: {image}\n" in content[release.COMPONENTS]


@pytest.mark.parametrize("version", ["0.1.0", "v0.1", "latest", "v0.1.0.1", "v0.1.0-"])
def test_a_version_that_is_not_semantic_is_refused(version):
    with pytest.raises(manifests.ReleaseError, match=r"only those like v0\.1\.0"):
        list(manifests.files(manifests.Options(version)))


def test_a_version_without_a_series_is_refused():
    with pytest.raises(manifests.ReleaseError, match=r"only the series v0\.1,"):
        list(manifests.files(manifests.Options("v9.8.7")))


def test_the_own_version_has_a_series():
    assert dict(manifests.files(manifests.Options()))[release.METADATA]


def test_the_text_repeats_what_is_said_twice():
    """References to an earlier place are hard to read, and some tools lose them."""
    shared = {"a": "b"}
    assert manifests.text([{"one": shared, "two": shared}]) == ("---\none:\n  a: b\ntwo:\n  a: b\n")
    made = manifests.components(manifests.Options())
    assert list(yaml.safe_load_all(manifests.text(made))) == made
