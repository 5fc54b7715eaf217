"""Addresses of the shell."""

from django.urls import path

from erp.web import styleguide, views

app_name = "web"

urlpatterns = [
    path("", views.home, name="home"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("login/", views.sign_in, name="login"),
    path("logout/", views.sign_out, name="logout"),
    path("search/", views.search, name="search"),
    path("navigation/", views.navigation_lines, name="navigation"),
    path("entity/", views.entity, name="entity"),
    path("profile/", views.profile, name="profile"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
]
