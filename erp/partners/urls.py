from django.urls import path

from erp.partners import views

app_name = "partners"
urlpatterns = [
    path("", views.imports, name="imports"),
    path("new/", views.new_import, name="new"),
    path("template/<str:kind>.csv", views.template, name="template"),
    path("webhooks/", views.webhooks, name="webhooks"),
    path("webhooks/new/", views.new_webhook, name="add_webhook"),
    path("webhooks/<int:webhook_id>/", views.show_webhook, name="webhook"),
    path("webhooks/<int:webhook_id>/act/", views.act_on_webhook, name="act_on_webhook"),
    path("<int:job_id>/", views.show_import, name="import"),
    path("<int:job_id>/start/", views.start, name="start"),
    path("<int:job_id>/undo/", views.undo, name="undo"),
    path("<int:job_id>/issues.csv", views.issues, name="issues"),
]
