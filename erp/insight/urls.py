"""Pages of figures."""

from django.urls import path

from erp.insight import views

app_name = "insight"
urlpatterns = [
    path("tower/", views.tower_page, name="tower"),
    path("rows/<slug:code>/", views.rows_page, name="rows"),
]
