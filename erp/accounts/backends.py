"""Signing in. What a user may do is answered by the user itself, per entity."""

from django.contrib.auth.backends import ModelBackend


class RoleBackend(ModelBackend):
    """Passwords by Django; permissions by `User.granted` alone."""
