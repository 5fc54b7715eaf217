from django.urls import path

from erp.partners import views

app_name = "partners"
urlpatterns = [
    path("", views.imports, name="imports"),
    path("new/", views.new_import, name="new"),
    path("template/<str:kind>.csv", views.template, name="template"),
    path("<int:job_id>/", views.show_import, name="import"),
    path("<int:job_id>/start/", views.start, name="start"),
    path("<int:job_id>/undo/", views.undo, name="undo"),
    path("<int:job_id>/issues.csv", views.issues, name="issues"),
]
