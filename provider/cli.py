"""The command ``caposc``; what a command needs is imported when it is called."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "doctor": ("provider.doctor", "Look whether clusters can be made with these credentials."),
    "manager": ("provider.manager.command", "Run the operator."),
    "manifests": ("provider.manifests.command", "Write what clusterctl installs."),
    "permissions": ("provider.permissions", "Print the EIM policy that the provider needs."),
    "plan": ("provider.planning", "Show what would be done for a cluster, and why."),
}
"""For each command: the module that has a function of this name, and what it does."""


class _Lazy(click.Group):
    """A group that imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        found = getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name)
        assert isinstance(found, click.Command), "The table names commands."
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with what they do, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="caposc")
def main() -> None:
    """Run Kubernetes clusters on OUTSCALE with Cluster API."""
