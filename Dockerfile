# Two stages: the final image has neither pip nor tests.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /srv/todos
COPY requirements.txt ./
RUN python -m venv /opt/venv && \
    /opt/venv/bin/python -m pip install --require-hashes --only-binary :all: -r requirements.txt && \
    /opt/venv/bin/python -m pip uninstall --yes pip && \
    rm requirements.txt
COPY manage.py ./
COPY api api/
COPY authn authn/
COPY browsable browsable/
COPY config config/
COPY database database/
COPY lists lists/
COPY operations operations/
COPY server server/
COPY todos todos/
# The final image is read-only: compile here, and let Python skip the check of sources.
RUN /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash .

FROM python:3.13-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000
WORKDIR /srv/todos
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/todos /srv/todos
# An orchestrator can tell from a number that the user is not root.
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# The image has no curl.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["python", "-c", \
    "import http.client, os, sys; api = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); api.request('GET', '/healthz'); sys.exit(api.getresponse().status != 200)"]
# To migrate, run python manage.py migrate.
CMD ["python", "-m", "server"]
