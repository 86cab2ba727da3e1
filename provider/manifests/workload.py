"""The manager as a Deployment, and the Services in front of it.

The container is named ``manager`` because clusterctl looks for that name. Variables are prefixed
with ``CAPOSC_``, and are those with which the manager's flags can be set anywhere else.
"""

from __future__ import annotations

from provider.manifests import parts

HEALTH_PORT, DIAGNOSTICS_PORT, WEBHOOK_PORT = 8081, 8443, 9443
CERTIFICATE_FOLDER = "/etc/caposc/serving-certs"
USER = 65532
"""The user of the image, as a number: Kubernetes cannot tell from a name that it is not root."""
STOP_WITHIN_S = 15
"""More than the manager takes to stop: --shutdown-timeout, then its last call and its lease."""

ARGUMENTS = (
    "manager",
    "--leader-elect",
    f"--health-probe-bind-address=:{HEALTH_PORT}",
    "--metrics-bind-address=0",
    f"--diagnostics-address=${{CAPOSC_DIAGNOSTICS_ADDRESS:=:{DIAGNOSTICS_PORT}}}",
    "--insecure-diagnostics=${CAPOSC_INSECURE_DIAGNOSTICS:=false}",
    f"--webhook-port={WEBHOOK_PORT}",
    f"--webhook-cert-dir={CERTIFICATE_FOLDER}",
    "--sync-period=${CAPOSC_SYNC_PERIOD:=5m}",
    "--osccluster-concurrency=${CAPOSC_OSCCLUSTER_CONCURRENCY:=2}",
    "--oscmachine-concurrency=${CAPOSC_OSCMACHINE_CONCURRENCY:=2}",
    "--calls-per-second=${CAPOSC_CALLS_PER_SECOND:=5}",
    "--logging-format=${CAPOSC_LOGGING_FORMAT:=text}",
    "--v=${CAPOSC_V:=0}",
)
CREDENTIALS = {
    "OSC_ACCESS_KEY": "access_key",
    "OSC_SECRET_KEY": "secret_key",
    "OSC_REGION": "region",
    "OSC_ENDPOINT_API": "endpoint",
    "OSC_PROTOCOL": "protocol",
}
"""The variables of the environment, and the keys of the Secret they come from."""


def components(image: str) -> list[parts.Object]:
    """Return the Deployment that runs ``image``, and its Services."""
    return [
        _service(parts.WEBHOOK_SERVICE, 443, "webhooks"),
        _service(parts.METRICS_SERVICE, DIAGNOSTICS_PORT, "diagnostics"),
        parts.made(
            "apps/v1",
            "Deployment",
            f"{parts.PREFIX}-controller-manager",
            labels=parts.PODS,
            spec={
                "replicas": 1,
                "selector": {"matchLabels": parts.PODS},
                "template": {
                    "metadata": {
                        "labels": {**parts.LABELS, **parts.PODS},
                        "annotations": {"kubectl.kubernetes.io/default-container": "manager"},
                    },
                    "spec": _pod(image),
                },
            },
        ),
    ]


def _service(name: str, port: int, target: str) -> parts.Object:
    ports = [{"name": target, "port": port, "protocol": "TCP", "targetPort": target}]
    return parts.made("v1", "Service", name, spec={"selector": parts.PODS, "ports": ports})


def _pod(image: str) -> parts.Object:
    return {
        "serviceAccountName": parts.SERVICE_ACCOUNT,
        "terminationGracePeriodSeconds": STOP_WITHIN_S,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "tolerations": [
            {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
        ],
        "containers": [_container(image)],
        "volumes": [
            {"name": "certificate", "secret": {"secretName": parts.CERTIFICATE_SECRET}},
            {"name": "temporary", "emptyDir": {"sizeLimit": "16Mi"}},
        ],
    }


def _container(image: str) -> parts.Object:
    ports = {"health": HEALTH_PORT, "diagnostics": DIAGNOSTICS_PORT, "webhooks": WEBHOOK_PORT}
    return {
        "name": "manager",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["caposc"],
        "args": [*ARGUMENTS],
        "env": [_from_secret(name, key) for name, key in CREDENTIALS.items()],
        "ports": [
            {"name": name, "containerPort": port, "protocol": "TCP"} for name, port in ports.items()
        ],
        "livenessProbe": _probe("/healthz"),
        "readinessProbe": _probe("/readyz"),
        # Without a limit of the CPU: one that is throttled would lose its lease.
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"memory": "512Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "privileged": False,
            "readOnlyRootFilesystem": True,
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "certificate", "mountPath": CERTIFICATE_FOLDER, "readOnly": True},
            {"name": "temporary", "mountPath": "/tmp"},  # noqa: S108 - inside the container
        ],
    }


def _probe(path: str) -> parts.Object:
    return {"httpGet": {"path": path, "port": "health"}, "periodSeconds": 10, "timeoutSeconds": 3}


def _from_secret(name: str, key: str) -> parts.Object:
    reference = {"name": parts.CREDENTIALS_SECRET, "key": key, "optional": True}
    return {"name": name, "valueFrom": {"secretKeyRef": reference}}
