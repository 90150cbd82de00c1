#!/bin/sh
# Owns what Django needs: its packages, and a database with four users that every case copies.
set -eu
cd "$(dirname "$0")"
if [ ! -f .venv/installed ] || [ requirements.txt -nt .venv/installed ]; then
    python3 -m venv .venv
    .venv/bin/pip install --quiet --requirement requirements.txt
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
