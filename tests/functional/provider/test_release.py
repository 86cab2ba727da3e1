"""A linter of clusterctl's provider contract, over what ``caposc manifests`` writes.

One test for each rule of
https://cluster-api.sigs.k8s.io/developer/providers/contracts/clusterctl and of the pages on
infrastructure clusters and machines beside it, and for each mistake that providers are known for.
"""

import re

import yaml
from click.testing import CliRunner

from provider import cli
from provider.manager import options
from provider.manifests import parts, release
from tests.functional.provider import releases
from tests.functional.provider.releases import components, of_kind, variables, written

CLUSTER_SCOPED = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "MutatingWebhookConfiguration",
    "Namespace",
    "ValidatingWebhookConfiguration",
}
INJECT = "cert-manager.io/inject-ca-from"


def definitions():
    return of_kind("CustomResourceDefinition")


def hooks():
    return of_kind("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


def the(kind):
    (found,) = of_kind(kind)
    return found


def name(obj):
    return obj["metadata"]["name"]


def pod():
    return the("Deployment")["spec"]["template"]["spec"]


# --- The repository ------------------------------------------------------------------------------


def test_the_repository_has_the_layout_of_a_local_one(tmp_path):
    releases.write(tmp_path)
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.yaml")}
    root = "infrastructure-outscale/v0.1.0"
    flavours = [f"-{each}" if each else "" for each in releases.FLAVOURS]
    assert files == {
        f"{root}/infrastructure-components.yaml",
        f"{root}/metadata.yaml",
        f"{root}/clusterclass-outscale.yaml",
        *(f"{root}/cluster-template{each}.yaml" for each in flavours),
    }


def test_writing_a_release_twice_gives_the_same(tmp_path):
    releases.write(tmp_path)
    releases.write(tmp_path)
    place = tmp_path / releases.PROVIDER / releases.VERSION
    assert {path.name: path.read_text() for path in place.iterdir()} == written()


def test_a_release_for_another_contract_leaves_no_template_of_the_first(tmp_path):
    releases.write(tmp_path)
    place = tmp_path / releases.PROVIDER / releases.VERSION
    (place / "cluster-template-mine.yaml").touch()
    options = release.Options(releases.VERSION, contract="v1beta1")
    release.write(tmp_path, options)
    written = {name for name, _ in release.files(options)}
    assert {path.name for path in place.iterdir()} == written | {"cluster-template-mine.yaml"}


def test_a_place_that_takes_no_release_is_told_in_words(tmp_path):
    (tmp_path / "file").touch()
    output = str(tmp_path / "file" / "release")
    done = CliRunner().invoke(cli.main, ["manifests", "--version", "v0.1.0", "--output", output])
    assert done.exit_code == 1
    assert output in done.output
    assert isinstance(done.exception, SystemExit)


def test_a_release_for_an_older_core_says_so_and_has_templates_for_it():
    files, newest = written("v1beta1"), written()
    names = {f"cluster-template-{each}.yaml" for each in releases.OLD_FLAVOURS if each}
    names |= {"cluster-template.yaml", "infrastructure-components.yaml", "metadata.yaml"}
    assert set(files) == names
    assert files["infrastructure-components.yaml"] == newest["infrastructure-components.yaml"]
    old, new = (yaml.safe_load(each["metadata.yaml"])["releaseSeries"] for each in (files, newest))
    assert old == [{**each, "contract": "v1beta1"} for each in new]
    for flavour in releases.OLD_FLAVOURS:
        for each in releases.cluster(flavour, "v1beta1"):
            assert each["apiVersion"].endswith("/v1beta1"), each


def test_what_an_older_core_touches_is_labelled_for_it():
    for each in definitions():
        is_referenced = "identit" not in name(each)
        assert ("cluster.x-k8s.io/v1beta1" in each["metadata"]["labels"]) == is_referenced


def test_the_metadata_has_the_only_format_that_clusterctl_takes():
    metadata = yaml.safe_load(written()["metadata.yaml"])
    assert metadata["apiVersion"] == "clusterctl.cluster.x-k8s.io/v1alpha3"
    assert metadata["kind"] == "Metadata"
    assert metadata["releaseSeries"]


def test_the_series_of_the_version_keeps_a_contract_that_all_definitions_are_labelled_for():
    series = yaml.safe_load(written()["metadata.yaml"])["releaseSeries"]
    (contract,) = [row["contract"] for row in series if (row["major"], row["minor"]) == (0, 1)]
    for each in definitions():
        assert f"cluster.x-k8s.io/{contract}" in each["metadata"]["labels"], name(each)


# --- The components ------------------------------------------------------------------------------


def test_there_is_exactly_one_namespace():
    assert name(the("Namespace")) == "cluster-api-provider-outscale-system"


def test_every_namespaced_object_is_in_that_namespace():
    for each in components():
        place = None if each["kind"] in CLUSTER_SCOPED else name(the("Namespace"))
        assert each["metadata"].get("namespace") == place, name(each)


def test_every_object_has_the_label_of_the_provider():
    for each in components():
        label = each["metadata"]["labels"]["cluster.x-k8s.io/provider"]
        assert label == "infrastructure-outscale", name(each)


def test_no_object_is_there_twice():
    keys = [(each["kind"], name(each)) for each in components()]
    assert len(keys) == len(set(keys))


def test_names_have_the_prefix_of_the_provider_as_the_go_provider_has_it():
    for each in components():
        if each["kind"] != "CustomResourceDefinition":
            assert name(each).startswith("cluster-api-provider-outscale"), name(each)


def test_every_variable_has_the_prefix_of_the_provider_and_a_default():
    found = variables(written()["infrastructure-components.yaml"])
    assert found
    for each, default in found.items():
        assert each.startswith("CAPOSC_"), each
        # clusterctl takes an empty default for none.
        assert default, each


def test_every_variable_is_also_one_of_the_manager():
    flags = {f"CAPOSC_{each.upper()}" for each in options.Options.__dataclass_fields__}
    assert set(variables(written()["infrastructure-components.yaml"])) <= flags


# --- The manager ---------------------------------------------------------------------------------


def test_the_container_is_called_manager():
    assert [each["name"] for each in pod()["containers"]] == ["manager"]


def test_the_manager_can_be_told_one_namespace_but_watches_all():
    assert "namespace" in options.Options.__dataclass_fields__
    (container,) = pod()["containers"]
    assert not any(each.startswith("--namespace") for each in container["args"])


def test_the_image_has_its_full_name_and_the_version_of_the_release():
    (container,) = pod()["containers"]
    assert release.CANONICAL.fullmatch(container["image"])
    assert container["image"].endswith(f":{releases.VERSION}")


def test_the_manager_is_not_root_and_cannot_become_it():
    assert pod()["securityContext"]["runAsNonRoot"]
    assert pod()["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod()["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": True,
    }


def test_the_credentials_of_the_provider_come_from_a_secret_that_may_be_absent():
    (container,) = pod()["containers"]
    keys = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in container["env"]}
    assert {each["name"] for each in keys.values()} == {"cluster-api-provider-outscale"}
    assert all(each["optional"] for each in keys.values())
    assert {"OSC_ACCESS_KEY", "OSC_SECRET_KEY", "OSC_REGION"} <= set(keys)


def test_every_service_selects_the_pods_of_the_manager():
    labels = the("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert the("Deployment")["spec"]["selector"]["matchLabels"].items() <= labels.items()
    for each in of_kind("Service"):
        assert each["spec"]["selector"].items() <= labels.items(), name(each)


# --- The definitions -----------------------------------------------------------------------------


def test_all_kinds_are_ours():
    assert {each["spec"]["group"] for each in definitions()} == {"infrastructure.cluster.x-k8s.io"}


def test_the_kinds_of_the_contract_are_there_with_their_lists():
    found = {each["spec"]["names"]["kind"]: each["spec"]["names"] for each in definitions()}
    for kind in ("OscCluster", "OscClusterTemplate", "OscMachine", "OscMachineTemplate"):
        assert found[kind]["listKind"] == f"{kind}List"


def test_a_definition_has_the_name_that_cluster_api_calculates():
    """From the kind alone: it never looks for a plural that we chose."""
    for each in definitions():
        kind = each["spec"]["names"]["kind"].lower()
        plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
        assert each["spec"]["names"]["plural"] == plural
        assert name(each) == f"{plural}.{each['spec']['group']}"


def test_all_kinds_are_namespaced_but_identities():
    cluster_wide = [each for each in definitions() if each["spec"]["scope"] == "Cluster"]
    assert [each["spec"]["names"]["kind"] for each in cluster_wide] == ["OscClusterIdentity"]


def test_all_kinds_belong_to_the_category_of_cluster_api():
    for each in definitions():
        assert each["spec"]["names"]["categories"] == ["cluster-api"]
        assert each["spec"]["names"]["shortNames"]


def test_the_contract_stands_in_labels_that_name_served_versions():
    for each in definitions():
        served = {version["name"] for version in each["spec"]["versions"] if version["served"]}
        contracts = {
            label: value
            for label, value in each["metadata"]["labels"].items()
            if re.fullmatch(r"cluster\.x-k8s\.io/v\d\w+", label)
        }
        assert "cluster.x-k8s.io/v1beta2" in contracts, name(each)
        assert {part for value in contracts.values() for part in value.split("_")} <= served


def test_every_kind_with_a_status_has_it_as_a_subresource_in_all_versions():
    for each in definitions():
        for version in each["spec"]["versions"]:
            has_status = "status" in version["schema"]["openAPIV3Schema"]["properties"]
            assert ("status" in version.get("subresources", {})) == has_status, name(each)


def test_every_kind_stores_one_version():
    for each in definitions():
        stored = [version["name"] for version in each["spec"]["versions"] if version["storage"]]
        assert stored == ["v1beta2"], name(each)


def test_every_kind_with_several_versions_is_converted_by_a_webhook():
    for each in definitions():
        several = len(each["spec"]["versions"]) > 1
        assert (each["spec"]["conversion"]["strategy"] == "Webhook") == several, name(each)


def test_no_immutability_of_templates_stands_in_a_definition():
    """A rule of CEL cannot see a dry run, and breaks ClusterClasses."""
    for each in definitions():
        if each["spec"]["names"]["kind"].endswith("Template"):
            assert "oldSelf" not in str(each), name(each)


def test_identities_are_moved_with_what_they_own():
    for each in definitions():
        moves = "clusterctl.cluster.x-k8s.io/move-hierarchy" in each["metadata"]["labels"]
        assert moves == (each["spec"]["scope"] == "Cluster")


# --- The webhooks --------------------------------------------------------------------------------


def clients():
    """Give (name, clientConfig) of all that the API server asks us."""
    for each in definitions():
        if webhook := each["spec"]["conversion"].get("webhook"):
            yield name(each), webhook["clientConfig"]
    for each in hooks():
        yield from ((hook["name"], hook["clientConfig"]) for hook in each["webhooks"])


def test_no_authority_is_made_up():
    """Kubernetes 1.31 and later refuse a placeholder such as ``Cg==``."""
    assert "caBundle" not in written()["infrastructure-components.yaml"]


def test_cert_manager_injects_an_authority_wherever_one_is_needed():
    converted = [
        each for each in definitions() if each["spec"]["conversion"]["strategy"] == "Webhook"
    ]
    certificate = the("Certificate")["metadata"]
    for each in [*converted, *hooks()]:
        wanted = f"{certificate['namespace']}/{certificate['name']}"
        assert each["metadata"]["annotations"][INJECT] == wanted, name(each)


def test_the_certificate_is_for_the_services_and_where_the_manager_looks_for_it():
    spec = the("Certificate")["spec"]
    for each in of_kind("Service"):
        assert f"{name(each)}.{parts.NAMESPACE}.svc" in spec["dnsNames"]
    assert spec["issuerRef"]["name"] == name(the("Issuer"))
    (container,) = pod()["containers"]
    volumes = {each["name"]: each.get("secret", {}).get("secretName") for each in pod()["volumes"]}
    mounts = {each["mountPath"]: volumes[each["name"]] for each in container["volumeMounts"]}
    folder = next(each for each in container["args"] if each.startswith("--webhook-cert-dir="))
    assert mounts[folder.partition("=")[2]] == spec["secretName"]


def test_every_webhook_is_behind_a_service_that_is_there():
    found = list(clients())
    services = {name(each): each["spec"]["ports"] for each in of_kind("Service")}
    assert found
    for where, config in found:
        service = config["service"]
        assert service["namespace"] == parts.NAMESPACE, where
        assert service["port"] in [port["port"] for port in services[service["name"]]], where


def test_every_webhook_has_a_name_of_its_own():
    names = [hook["name"] for each in hooks() for hook in each["webhooks"]]
    assert len(names) == len(set(names))
    assert all(each.count(".") >= 2 for each in names)


def test_every_write_of_every_kind_and_version_is_validated():
    asked = {
        (plural, version, operation)
        for each in of_kind("ValidatingWebhookConfiguration")
        for hook in each["webhooks"]
        for rule in hook["rules"]
        for plural in rule["resources"]
        for version in rule["apiVersions"]
        for operation in rule["operations"]
    }
    assert asked == {
        (each["spec"]["names"]["plural"], version["name"], operation)
        for each in definitions()
        for version in each["spec"]["versions"]
        for operation in ("CREATE", "UPDATE")
    }


def test_no_webhook_changes_a_template():
    """What is filled in there would differ for ever from what the topology controller wants."""
    for each in of_kind("MutatingWebhookConfiguration"):
        for hook in each["webhooks"]:
            assert not any("template" in plural for plural in hook["rules"][0]["resources"])


# --- The rights ----------------------------------------------------------------------------------


def rules(*kinds):
    return [rule for each in of_kind(*kinds) for rule in each["rules"]]


def test_nobody_gets_a_right_by_a_wildcard():
    for rule in rules("Role", "ClusterRole"):
        assert "*" not in str(rule), rule


def test_secrets_are_only_read():
    for rule in rules("Role", "ClusterRole"):
        if "secrets" in rule.get("resources", []):
            assert set(rule["verbs"]) == {"get", "list", "watch"}


def test_every_binding_is_between_a_role_and_an_account_that_are_there():
    roles = {(each["kind"], name(each)) for each in of_kind("Role", "ClusterRole")}
    for each in of_kind("RoleBinding", "ClusterRoleBinding"):
        assert (each["roleRef"]["kind"], each["roleRef"]["name"]) in roles
        (subject,) = each["subjects"]
        assert subject["name"] == name(the("ServiceAccount")) == pod()["serviceAccountName"]
        assert subject["namespace"] == parts.NAMESPACE


def test_cluster_api_may_do_with_our_kinds_what_its_contract_lists():
    (role,) = [
        each
        for each in of_kind("ClusterRole")
        if each["metadata"]["labels"].get("cluster.x-k8s.io/aggregate-to-manager") == "true"
    ]
    may = {
        (plural, verb) for r in role["rules"] for plural in r["resources"] for verb in r["verbs"]
    }
    everything = ("create", "delete", "get", "list", "patch", "update", "watch")
    for plural in ("oscclusters", "oscmachines", "oscmachinetemplates"):
        assert {(plural, verb) for verb in everything} <= may
        assert (f"{plural}/finalizers", "update") in may
    assert {("oscclustertemplates", verb) for verb in everything[2:]} <= may


def test_the_manager_does_not_get_the_rights_of_cluster_api():
    bound = {each["roleRef"]["name"] for each in of_kind("ClusterRoleBinding", "RoleBinding")}
    assert not [each for each in bound if "aggregated" in each]
