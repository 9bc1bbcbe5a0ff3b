# syntax=docker/dockerfile:1
# Two stages: the first makes the environment from the hash-checked pins, the second holds it and nothing to build with.
ARG PYTHON=python:3.11-slim-bookworm
FROM ${PYTHON} AS build
WORKDIR /build
COPY requirements/ requirements/
RUN python -m venv /opt/imaging \
    && /opt/imaging/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements/uv.txt \
    && /opt/imaging/bin/uv pip install --no-config --no-cache --python /opt/imaging/bin/python \
        --require-hashes --only-binary :all: -r requirements/server.txt
COPY pyproject.toml README.md LICENSE ./
COPY measurement/ measurement/
COPY dicom_listener/ dicom_listener/
COPY imaging_service/ imaging_service/
RUN /opt/imaging/bin/pip install --no-cache-dir --no-index --no-build-isolation --no-deps . \
    && /opt/imaging/bin/pip uninstall --yes uv

FROM ${PYTHON}
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin imaging \
    && install -d -o imaging -g imaging /data
COPY --from=build /opt/imaging /opt/imaging
ENV PATH=/opt/imaging/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    IMAGING_SERVICE_HOST=0.0.0.0 \
    DICOM_LISTENER_HOST=0.0.0.0
USER imaging
VOLUME ["/data"]
EXPOSE 8080 11112
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health/ready', timeout=4)"]
CMD ["imaging-service", "up", "--data", "/data"]
