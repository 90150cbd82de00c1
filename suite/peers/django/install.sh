#!/bin/sh
# Owns what Django needs: its packages, and a database with four users that every case copies.
set -eu
cd "$(dirname "$0")"
if [ ! -f .venv/installed ] || [ requirements.txt -nt .venv/installed ]; then
    ../../need python3 python3
    # Debian keeps a part of `venv` in a package of its own.
    python3 -c 'import ensurepip' 2>/dev/null || ../../need '/usr/lib/python3*/ensurepip/__init__.py' python3-venv
    python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check --retries 1 --requirement requirements.txt
    touch .venv/installed
fi
[ ! -f template.sqlite3 ] || exit 0
export DATABASE=template.new
rm -f "$DATABASE"
.venv/bin/python manage.py migrate --verbosity 0
.venv/bin/python manage.py shell --verbosity 0 --command '
from django.contrib.auth.models import User
for name in ("ana", "ben", "mallory", "eve"):
    User.objects.create_user(name, password="tall ships sail by night")'
mv template.new template.sqlite3
