# The manager as an image, for linux/amd64 and linux/arm64:
#
#     docker buildx build --platform linux/amd64,linux/arm64 --tag outscale/caposc:v0.1.0 .
#
# Everything that is installed is pinned with its hash. Which index it comes from is a matter of pip's
# own configuration: hand yours in with --secret id=pip,src=FILE.
FROM python:3.11-slim AS build
WORKDIR /source
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1

# What builds the wheel, apart from what runs.
COPY requirements/dev.txt requirements/run.txt requirements/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python -m venv /build \
    && /build/bin/pip install --require-hashes --requirement requirements/dev.txt
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python -m venv /caposc \
    && /caposc/bin/pip install --require-hashes --requirement requirements/run.txt

COPY pyproject.toml README.md LICENSE metadata.yaml ./
COPY templates templates
COPY fakecloud fakecloud
COPY fakekube fakekube
COPY provider provider
RUN /build/bin/python -m hatchling build --target wheel --directory /wheel \
    && /caposc/bin/pip install --no-deps --no-index /wheel/*.whl \
    && /caposc/bin/pip uninstall --yes pip setuptools

FROM python:3.11-slim
ARG VERSION=v0.1.0
LABEL org.opencontainers.image.title="caposc" \
      org.opencontainers.image.description="Cluster API infrastructure provider for OUTSCALE" \
      org.opencontainers.image.licenses="BSD-3-Clause" \
      org.opencontainers.image.version="${VERSION}"
# A home of its own: the profile file of the vendor's tools is looked for there.
RUN groupadd --gid 65532 caposc \
    && useradd --uid 65532 --gid 65532 --create-home --shell /usr/sbin/nologin caposc
COPY --from=build /caposc /caposc
# Nothing is written at run time, so that the file system can be read-only.
ENV PATH=/caposc/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# As a number: Kubernetes cannot tell from a name that it is not root.
USER 65532:65532
ENTRYPOINT ["caposc"]
CMD ["manager"]
