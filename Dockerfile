FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
WORKDIR /srv/crossdock

COPY requirements/base.txt requirements/base.txt
RUN pip install --no-deps --require-hashes -r requirements/base.txt

COPY . .
ENV STATIC_ROOT=/srv/static ERP_DATA=/srv/data LOG_FORMAT=json DJANGO_SETTINGS_MODULE=erp.settings.base
RUN useradd --system --home-dir /srv/data --shell /usr/sbin/nologin crossdock \
 && install -d -o crossdock -g crossdock /srv/data \
 && DATABASE_URL=postgresql://none REDIS_URL=redis://none SECRET_KEY=of-the-build-alone \
    python manage.py collectstatic --noinput --verbosity 0
USER crossdock
VOLUME /srv/data
EXPOSE 8000
STOPSIGNAL SIGTERM

CMD ["python", "-m", "uvicorn", "erp.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--lifespan", "off", "--no-server-header", "--no-access-log", \
     "--timeout-graceful-shutdown", "10"]
