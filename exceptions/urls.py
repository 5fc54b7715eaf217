"""Pages of the exceptions app, below /exceptions/."""

from django.urls import path

from exceptions import views

app_name = "exceptions"
urlpatterns = [
    path("", views.queue_page, name="queue"),
    path("analytics/", views.analytics_page, name="analytics"),
    path("many/", views.act_on_many, name="many"),
    path("filters/", views.keep_filter, name="filters"),
    path("shifts/", views.shifts_page, name="shifts"),
    path("shifts/<int:shift_id>/drop/", views.drop_shift_page, name="drop_shift"),
    path("notices/", views.notices_page, name="notices"),
    path("notices/read/", views.read_all, name="read"),
    path("notices/how/", views.keep_preference, name="prefer"),
    path("types/", views.types_page, name="types"),
    path("of-order/<str:number>/", views.of_order, name="of_order"),
    path("of-customer/<str:code>/", views.of_customer, name="of_customer"),
    path("<int:pk>/", views.case_page, name="case"),
    path("<int:pk>/beside/", views.beside, name="beside"),
    path("<int:pk>/take/", views.take_case, name="take"),
    path("<int:pk>/acknowledge/", views.acknowledge_case, name="acknowledge"),
    path("<int:pk>/assign/", views.assign_case, name="assign"),
    path("<int:pk>/comment/", views.comment_case, name="comment"),
    path("<int:pk>/dismiss/", views.dismiss_case, name="dismiss"),
    path("<int:pk>/resolve/", views.resolve_case, name="resolve"),
    path("<int:pk>/reopen/", views.reopen_case, name="reopen"),
    path("<int:pk>/requests/<int:request_id>/", views.decide_request, name="decide"),
    path("<int:pk>/wait/", views.wait_case, name="wait"),
    path("<int:pk>/go-on/", views.go_on_case, name="go_on"),
    path("<int:pk>/snooze/", views.snooze_case, name="snooze"),
    path("<int:pk>/watch/", views.watch_case, name="watch"),
    path("<int:pk>/merge/", views.merge_case, name="merge"),
    path("<int:pk>/unmerge/", views.unmerge_case, name="unmerge"),
    path("<int:pk>/files/", views.attach_file, name="attach"),
    path("<int:pk>/files/<int:file_id>/", views.attachment, name="file"),
    path("<int:pk>/plays/<str:key>/", views.play_case, name="play"),
    path("<int:pk>/plays/<str:key>/undo/", views.undo_case, name="undo"),
]
