# The service and its workers, and as a stage of its own (`--target lab`) JupyterLab and the load, so
# that what serves carries nothing that it does not use.

FROM python:3.12.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /venv
ARG EXTRAS=postgres,traces
# What is installed changes seldom and takes long, so it has a layer of its own: an empty package
# brings it, at the versions that are pinned.
COPY requirements.txt pyproject.toml README.md LICENSE ./
RUN mkdir bpdemo notebooks exercises && touch bpdemo/__init__.py \
    && /venv/bin/pip install --constraint requirements.txt ".[${EXTRAS}]" \
    && /venv/bin/pip uninstall --yes bpdemo

FROM build AS build-lab
RUN /venv/bin/pip install --constraint requirements.txt ".[lab]" \
    && /venv/bin/pip uninstall --yes bpdemo
COPY bpdemo bpdemo
COPY notebooks notebooks
COPY exercises exercises
RUN /venv/bin/pip install --no-deps .

FROM build AS build-service
COPY bpdemo bpdemo
COPY notebooks notebooks
COPY exercises exercises
RUN /venv/bin/pip install --no-deps .

FROM python:3.12.11-slim-bookworm AS user
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 BPDEMO_HOME=/home/bpdemo/kept
RUN useradd --create-home --uid 10001 bpdemo
WORKDIR /home/bpdemo

FROM user AS lab
COPY --from=build-lab /venv /venv
COPY --chown=bpdemo notebooks notebooks
COPY --chown=bpdemo exercises exercises
USER 10001
EXPOSE 8888
# Its token is that of JUPYTER_TOKEN, else one of its own, which it tells.
ENTRYPOINT ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--no-browser"]
CMD ["--ServerApp.root_dir=/home/bpdemo"]

FROM user AS service
COPY --from=build-service /venv /venv
USER 10001
EXPOSE 8000
# Alive is not ready: a replica that drains must not be restarted for it.
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# As the first process it gets SIGTERM itself, and drains.
STOPSIGNAL SIGTERM
ENTRYPOINT ["bpdemo"]
# Beyond loopback it wants BPDEMO_ADMIN_TOKEN, and says so if there is none.
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
