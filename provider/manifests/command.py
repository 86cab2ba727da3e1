"""``caposc manifests``: write what clusterctl installs."""

from __future__ import annotations

import pathlib

import click

from provider.manifests import release


@click.command()
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    help="Write a whole release there, as a local repository of clusterctl.",
)
@click.option(
    "--version", default=release.own_version, show_default="this one", help="Of the release."
)
@click.option("--image", default="", help="Of the manager.  [default: that of the version]")
@click.option(
    "--contract",
    type=click.Choice(sorted(release.TEMPLATES)),
    default=release.CONTRACT,
    show_default=True,
    help="Of Cluster API: v1beta1 for a core up to 1.10.",
)
def manifests(output: pathlib.Path | None, version: str, image: str, contract: str) -> None:
    """Print the components of the provider, or write a whole release."""
    options = release.Options(version, image, contract)
    try:
        if output is None:
            click.echo(dict(release.files(options))[release.COMPONENTS], nl=False)
            return
        place = release.write(output, options)
    except release.ReleaseError as problem:
        raise click.ClickException(str(problem)) from problem
    except OSError as problem:
        raise click.FileError(str(problem.filename), problem.strerror) from problem
    click.echo(f"{place} holds {len(list(place.iterdir()))} files.")
