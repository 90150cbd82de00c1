"""The routes that the suite asks for; signing in and out are Django's own views.

Owns the slow view: it reads the session, is held by the suite, then counts.
"""
import os
import pathlib
import time

from django.contrib.auth import views
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache


def home(request):
    return HttpResponse("Home page")


@never_cache
@login_required
def account(request):
    return HttpResponse(f"Signed in as {request.user.get_username()}")


def me(request):
    if request.user.is_authenticated:
        return JsonResponse({"name": request.user.get_username()})
    return JsonResponse({}, status=401)


@login_required
def visit(request):
    request.session["num_visits"] = request.session.get("num_visits", 0) + 1
    return HttpResponse(f"{request.session['num_visits']} visits")


@login_required
def slow(request):
    request.session.get("num_visits", 0)
    gate = pathlib.Path(os.environ["SUITE_GATES"]) / request.GET["gate"]
    gate.with_suffix(".in").touch()
    while not gate.with_suffix(".go").exists():
        time.sleep(0.002)
    return visit(request)


urlpatterns = [
    path("", home),
    path("login/", views.LoginView.as_view(template_name="login.html")),
    path("logout/", views.LogoutView.as_view()),
    path("password/", views.PasswordChangeView.as_view(template_name="login.html", success_url="/account/")),
    path("account/", account),
    path("api/me", me),
    path("visit/", visit),
    path("slow/", slow),
]
