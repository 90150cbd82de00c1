"""A peer of the suite: Django with database sessions, as `startproject` makes it.

Owns the settings. Left out of `startproject`: the admin site, static files, templates. Cookies are not `Secure`, for the suite speaks
plain HTTP on loopback.
"""
import os

SECRET_KEY = "of a deployment it would be a secret"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "peer.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [os.path.join(os.path.dirname(__file__), "templates")],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]
WSGI_APPLICATION = "peer.wsgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("DATABASE", "template.sqlite3")}}
USE_TZ = True
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/account/"
LOGOUT_REDIRECT_URL = "/"
if os.environ.get("PASSWORDS") == "plain":
    # For the benchmark alone. The second is for the users of the template, who get the first at their first sign-in.
    PASSWORD_HASHERS = ["peer.plain.PlainHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
if "IDLE_SECONDS" in os.environ:
    SESSION_COOKIE_AGE = int(os.environ["IDLE_SECONDS"])
    SESSION_SAVE_EVERY_REQUEST = True
if "ABSOLUTE_SECONDS" in os.environ:
    SESSION_COOKIE_AGE = int(os.environ["ABSOLUTE_SECONDS"])
