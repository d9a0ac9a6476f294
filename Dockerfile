# The call centre without the parts that stand in for services on a developer's machine: no embedded servers, no local speech.
FROM python:3.11-slim

# MALLOC_ARENA_MAX: with many threads and an arena for nearly each, a process would grow without holding any more.
ENV PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=2 PYTHONDONTWRITEBYTECODE=1 BIND=0.0.0.0 PORT=8000
WORKDIR /app

COPY pyproject.toml requirements.lock bootstrap.lock ./
RUN pip install --no-cache-dir --require-hashes -r bootstrap.lock \
 && uv pip install --system --no-cache --require-hashes --no-build --compile-bytecode --constraint requirements.lock -r pyproject.toml

RUN useradd --create-home callcenter && mkdir -p /app/var/media /app/var/spool && chown -R callcenter /app/var
COPY --chown=root:root . .
RUN python -m compileall -q callcenter calllogs orders staff voiceagent
USER callcenter

EXPOSE 8000
CMD ["python", "-m", "callcenter.server"]
