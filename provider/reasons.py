"""Reasons: the one word by which conditions and Events tell how it is, and what to do about it.

``docs/troubleshoot.md`` is written from this table.
"""

from __future__ import annotations

import enum
from typing import Self


class Reason(enum.StrEnum):
    """A reason, what it means, and what to do; nothing to do is an empty remedy."""

    means: str
    remedy: str

    def __new__(cls, value: str, means: str, remedy: str = "") -> Self:
        """Make the word, which carries its meaning and its remedy."""
        made = str.__new__(cls, value)
        made._value_ = value
        made.means, made.remedy = means, remedy
        return made

    # --- All is well -----------------------------------------------------------------------------

    READY = "Ready", "It is as the spec wants it."
    NOT_PAUSED = "NotPaused", "The object is reconciled."
    NOT_DELETING = "NotDeleting", "The object stays."
    CREATED = "Created", "Something was made in the cloud; the message says what, and why."
    UPDATED = "Updated", "Something was changed in the cloud; the message says what was different."
    DELETED = "Deleted", "Something was deleted in the cloud, or everything of the object is gone."

    # --- It is being worked on -------------------------------------------------------------------

    CREATING = "Creating", "It is about to be made."
    UPDATING = "Updating", "It is about to be changed."
    DELETING = (
        "Deleting",
        (
            "It is about to be deleted or, as a condition of the object, the object is going: the "
            "message lists what is left."
        ),
        "Wait. If the list stays the same, the message says for each what is in the way.",
    )
    WAITING = (
        "Waiting",
        "Something else has to be ready first, or the cloud is still busy with it.",
        "Wait. What takes much longer than usual says so.",
    )
    WAITING_FOR_OWNER = (
        "WaitingForOwner",
        (
            "Nothing is done before Cluster API has made a Cluster the owner of the OscCluster, or "
            "a Machine that of the OscMachine."
        ),
        (
            "See that spec.infrastructureRef of a Cluster or Machine names the object, and that "
            "the Cluster is not paused."
        ),
    )
    WAITING_FOR_CLUSTER = (
        "WaitingForClusterInfrastructure",
        "A machine is made once the network of its cluster is provisioned.",
        "Look at the OscCluster.",
    )
    WAITING_FOR_BOOTSTRAP = (
        "WaitingForBootstrapData",
        (
            "A machine is made once its bootstrap provider has written what its VM does at boot. "
            "Workers wait for the first control plane Machine."
        ),
        "Look at the Machine, at its KubeadmConfig, and at the control plane.",
    )
    NOT_READY = (
        "NotReady",
        "More than one part is not ready; the message lists them.",
        "Look at the condition of each part.",
    )

    # --- It ends by itself -----------------------------------------------------------------------

    GONE = (
        "Gone",
        "Something that a call named does not exist any more: somebody else deleted it meanwhile.",
        "Wait: it is made again. If it comes back again and again, find out who deletes it.",
    )
    THROTTLED = (
        "Throttled",
        "The API refused a call because the account makes too many.",
        "Wait. If it stays, see who else uses the account, and raise the manager's --sync-period.",
    )
    CLOUD_UNAVAILABLE = (
        "CloudUnavailable",
        (
            "No answer came, or none that says what happened. It is tried again, and what may have "
            "been made is found."
        ),
        (
            "If it stays, see whether the manager reaches the endpoint: proxy, firewall, DNS. "
            "'caposc doctor' tries it."
        ),
    )

    # --- Somebody has to act ---------------------------------------------------------------------

    PAUSED = (
        "Paused",
        (
            "The object is left alone, also when it is deleted: its Cluster has spec.paused, or it "
            "has the annotation cluster.x-k8s.io/paused."
        ),
        "Take that away to let it go on.",
    )
    CREDENTIALS_MISSING = (
        "CredentialsMissing",
        "There are no credentials that can be used; the message says where they were looked for.",
        "Do what the message says, and annotate the object if you do not want to wait for a look.",
    )
    DENIED = (
        "Denied",
        "The access key is wrong, locked, or not allowed to do this.",
        (
            "Compare the policy of its user with that of 'caposc permissions', and look at the API "
            "access rules of the account. 'caposc doctor' tries every action."
        ),
    )
    REFUSED = (
        "Refused",
        "The spec asks for what cannot be, or the API would refuse the call again.",
        "The message says what is wrong, and what to do; it is below.",
    )
    ENDPOINT_MISSING = (
        "EndpointMissing",
        "The load balancer is disabled, and no endpoint is given in its place.",
        "Set spec.controlPlaneEndpoint of the OscCluster to where the Kubernetes API is reached.",
    )
    ENDPOINT_LOST = (
        "EndpointLost",
        (
            "The load balancer was deleted by somebody else and made again: it has another address "
            "now, and the endpoint that machines know leads nowhere."
        ),
        "Make another cluster: an endpoint is set once.",
    )
    QUOTA_REACHED = (
        "QuotaReached",
        "A quota of the account is used up. 'caposc doctor' tells which.",
        "Delete what is not used, or ask the support of OUTSCALE for more.",
    )
    NO_CAPACITY = (
        "NoCapacity",
        "The subregion has no room for this now. Other subregions of the machine were tried too.",
        "Wait, allow more subregions, or use another vmType.",
    )
    CAPACITY_UNKNOWN = (
        "CapacityUnknown",
        (
            "The name of the VM type of a template tells no size, and OUTSCALE publishes none, so "
            "that the autoscaler does not know what a node of it would have."
        ),
        (
            "To scale up from none, set capacity.cluster-autoscaler.kubernetes.io/cpu and the like "
            "on the MachineDeployment. Nothing else needs it."
        ),
    )
    NAME_TAKEN = (
        "NameTaken",
        "Something of this name, range or kind exists, and is not of this cluster.",
        "Choose another name or range, or delete the other one.",
    )
    VM_TERMINATED = (
        "VmTerminated",
        "The VM was terminated by somebody else. A machine never gets another one.",
        "Delete the Machine: its owner makes another. A MachineHealthCheck does that by itself.",
    )
    VM_QUARANTINED = (
        "VmQuarantined",
        "OUTSCALE has put the VM into quarantine. Should it come back, the machine is ready again.",
        "Ask the support of OUTSCALE why, or delete the Machine: its owner makes another.",
    )
    VM_GONE = (
        "VmGone",
        "The cloud does not know the VM any more. A machine never gets another one.",
        (
            "Delete the Machine: its owner makes another. If all VMs are gone, see whether the "
            "credentials are those of another account or region."
        ),
    )
