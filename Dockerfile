# syntax=docker/dockerfile:1
# The whole service in one container: web process and worker, and a supervisor over both.
#   docker compose up --build
# or
#   docker build -t wwzd . && docker run --init -p 5000:5000 -v ./data:/data wwzd

ARG PYTHON=3.12

FROM node:24-slim AS page
WORKDIR /page
COPY viewer/package.json viewer/package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY viewer/build.mjs ./
COPY viewer/page page
RUN npm run build

FROM python:${PYTHON}-slim AS builder

# Where pip finds torch for CPUs. Empty takes PyPI's torch, the CUDA build, several GB larger:
#   docker build --build-arg TORCH_INDEX= -t wwzd .      and run it with --gpus all
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

# requirements-scale.txt has PostgreSQL, object stores and metrics as well, requirements-ray.txt Ray: see docs/scaling.md.
# Several of them, with a space between.
ARG REQUIREMENTS=requirements.txt

RUN python -m venv --without-pip /venv
COPY requirements*.txt requirements.lock /tmp/
# At the versions of the lock, but without its hashes: torch for CPUs has others.
# Left out: torch's own C++ tests and headers, a tenth of the image; and openvino-telemetry, without which OpenVINO's
# converter tells nobody that it was used.
RUN sed -n 's/^\([^ #].*\) \\$/\1/p' /tmp/requirements.lock > /tmp/constraints.txt \
    && pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check \
        ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} \
        $(printf -- '--requirement /tmp/%s ' ${REQUIREMENTS}) --constraint /tmp/constraints.txt \
    && pip --python /venv/bin/python uninstall --yes openvino-telemetry \
    && rm -rf /venv/lib/python3*/site-packages/torch/test /venv/lib/python3*/site-packages/torch/include

FROM python:${PYTHON}-slim

# numba's OpenMP threads need the system's libgomp; every other library comes inside the wheels.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --user-group --create-home wwzd \
    && install --directory --owner wwzd --group wwzd /data

COPY --from=builder /venv /venv
WORKDIR /app
COPY . .
COPY --from=page /page/static/viewer/built viewer/static/viewer/built
RUN ["/venv/bin/python", "-m", "compileall", "-q", "/app"]

# HOME and USER are for a container that runs under an id without a name.
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    USER=wwzd \
    DATA_DIR=/data \
    PORT=5000

USER 1000:1000
VOLUME /data
EXPOSE 5000

# Nothing listens before the first start has prepared the network and the catalogue, hence the long start period.
# The header says that the call came in over TLS, or HTTPS=1 would answer it with a redirect.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10m --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(web.Request(f'http://localhost:{os.environ[\"PORT\"]}/health', headers={'X-Forwarded-Proto': 'https'}), timeout=9)"]

# Exec form: SIGTERM reaches the supervisor, which lets the upload under way finish and then stops its processes.
CMD ["python", "manage.py", "serve"]
