"""Cluster API's definitions, a right object of each of its kinds, and wrong ones made from it."""

import copy

import yaml

from tools import modules

REF = {"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "Any", "name": "one"}
OLD_REF = {"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta2", "kind": "Any", "name": "one"}
LABELS = {"matchLabels": {"a": "b"}}
MACHINE = {"clusterName": "one", "bootstrap": {"dataSecretName": "one"}, "infrastructureRef": REF}
MACHINES = {"clusterName": "one", "selector": LABELS, "template": {"spec": MACHINE}}
KUBEADM = {
    "clusterConfiguration": {"apiServer": {"extraArgs": [{"name": "v", "value": "2"}]}},
    "files": [{"path": "/etc/a", "content": "b", "permissions": "0640"}],
    "users": [{"name": "one", "sshAuthorizedKeys": ["ssh-ed25519 AAAA"]}],
    "preKubeadmCommands": ["true"],
    "format": "cloud-config",
}
# The module has no sample objects: these are made by hand, with what a user of each kind writes.
SPECS = {
    "Cluster": {
        "clusterNetwork": {
            "pods": {"cidrBlocks": ["10.244.0.0/16"]},
            "services": {"cidrBlocks": ["10.96.0.0/12"]},
            "apiServerPort": 6443,
        },
        "controlPlaneEndpoint": {"host": "192.0.2.1", "port": 6443},
        "infrastructureRef": REF,
        "controlPlaneRef": {**REF, "apiGroup": "controlplane.cluster.x-k8s.io"},
    },
    "ClusterClass": {
        "controlPlane": {"templateRef": OLD_REF},
        "infrastructure": {"templateRef": OLD_REF},
        "workers": {
            "machineDeployments": [
                {
                    "class": "worker",
                    "bootstrap": {"templateRef": OLD_REF},
                    "infrastructure": {"templateRef": OLD_REF},
                }
            ]
        },
        "variables": [
            {
                "name": "size",
                "required": True,
                "schema": {"openAPIV3Schema": {"type": "string", "default": "m"}},
            }
        ],
    },
    "Machine": {**MACHINE, "version": "v1.34.0", "providerID": "any:///one"},
    "MachineSet": {**MACHINES, "replicas": 2},
    "MachineDeployment": {
        **MACHINES,
        "replicas": 3,
        "rollout": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "20%"}}},
    },
    "MachinePool": {"clusterName": "one", "template": {"spec": MACHINE}, "replicas": 1},
    "MachineHealthCheck": {
        "clusterName": "one",
        "selector": LABELS,
        "checks": {
            "nodeStartupTimeoutSeconds": 600,
            "unhealthyNodeConditions": [
                {"type": "Ready", "status": "Unknown", "timeoutSeconds": 300}
            ],
        },
    },
    "MachineDrainRule": {
        "drain": {"behavior": "Drain", "order": 5},
        "machines": [{"selector": LABELS}],
        "pods": [{"selector": LABELS}],
    },
    "ClusterResourceSet": {
        "clusterSelector": LABELS,
        "resources": [{"kind": "ConfigMap", "name": "one"}],
        "strategy": "Reconcile",
    },
    "ClusterResourceSetBinding": {"clusterName": "one", "bindings": []},
    "IPAddress": {
        "address": "192.0.2.7",
        "claimRef": {"name": "one"},
        "poolRef": REF,
        "prefix": 24,
        "gateway": "192.0.2.1",
    },
    "IPAddressClaim": {"poolRef": REF, "clusterName": "one"},
    "ExtensionConfig": {
        "clientConfig": {"url": "https://one.example.com"},
        "namespaceSelector": LABELS,
    },
    "KubeadmConfig": KUBEADM,
    "KubeadmConfigTemplate": {"template": {"spec": KUBEADM}},
    "KubeadmControlPlane": {
        "replicas": 3,
        "version": "v1.34.0",
        "machineTemplate": {"spec": {"infrastructureRef": REF}},
        "kubeadmConfigSpec": KUBEADM,
    },
    "KubeadmControlPlaneTemplate": {"template": {"spec": {"kubeadmConfigSpec": KUBEADM}}},
}


def definitions():
    """Return the definitions of the core, bootstrap and control-plane providers, as they are.

    config/crd/bases holds no conversion webhook: kustomize adds that when a release is made. So a
    version becomes another one by its apiVersion alone, and only the stored version is asked here.
    """
    paths = sorted(modules.source("cluster-api").glob("**/config/crd/bases/*.yaml"))
    wanted = [path for path in paths if not {"test", "cmd"} & set(path.parts)]
    return [yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader) for path in wanted]


def stored(definition):
    return next(each for each in definition["spec"]["versions"] if each["storage"])


def right(definition, name="one"):
    """Return a right object of a kind, in its stored version."""
    spec = definition["spec"]
    return {
        "apiVersion": f"{spec['group']}/{stored(definition)['name']}",
        "kind": spec["names"]["kind"],
        "metadata": {"name": name},
        "spec": copy.deepcopy(SPECS[spec["names"]["kind"]]),
    }


def _holders(value, path=()):
    """Give each field of an object, with what holds it; of lists only the first entry."""
    if isinstance(value, dict):
        for key in list(value):
            yield value, key, (*path, key)
            yield from _holders(value[key], (*path, key))
    elif isinstance(value, list) and value:
        yield value, 0, (*path, 0)
        yield from _holders(value[0], (*path, 0))


def _of_another_type(value):
    return {"a": [1]} if not isinstance(value, dict) else "text"


# What can be done to one field.
CHANGES = {
    "another type": _of_another_type,
    "null": lambda value: None,
    "empty": lambda value: type(value)(),
    "huge": lambda value: (
        2**31 if isinstance(value, int) else value * 300 if isinstance(value, str | list) else value
    ),
    "negative or odd": lambda value: -7 if isinstance(value, int) else "É/ x",
    "gone": None,
}


def wrong(definition):
    """Give (what was done, object) for each field of the right object and each change."""
    obj = right(definition)
    fields = [path for _, _, path in _holders(obj["spec"], ("spec",))]
    for path in [("spec",), *fields]:
        for title, change in CHANGES.items():
            made = copy.deepcopy(obj)
            holder = made
            for step in path[:-1]:
                holder = holder[step]
            if change is None:
                del holder[path[-1]]
            else:
                holder[path[-1]] = change(holder[path[-1]])
            if made != obj:
                yield f"{title}: {'.'.join(map(str, path))}", made
    for path in [("unknown",), ("spec", "unknown"), ("status",)]:
        made = copy.deepcopy(obj)
        (made["spec"] if len(path) > 1 else made)[path[-1]] = {"a": 1}
        yield f"added: {'.'.join(path)}", made
