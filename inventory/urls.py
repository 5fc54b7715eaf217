"""Addresses of inventory's pages."""

from django.urls import path, re_path

from inventory import views

app_name = "inventory"
urlpatterns = [
    path("stock/", views.stock, name="stock"),
    path("health/", views.health, name="health"),
    path("products/", views.products, name="products"),
    path("products/<str:code>/", views.product, name="product"),
    path("products/<str:code>/projection/", views.projection, name="projection"),
    path("availability/", views.finder, name="finder"),
    path("products/<str:code>/moves/", views.moves, name="moves"),
    path("calendars/", views.calendar_list, name="calendars"),
    path("calendars/new/", views.write_calendar, name="new_calendar"),
    path("calendars/<str:code>/", views.calendar, name="calendar"),
    path("calendars/<str:code>/edit/", views.write_calendar, name="edit_calendar"),
    re_path(
        r"^calendars/(?P<code>[^/]+)/(?P<verb>follow|leave)/$",
        views.change_followers,
        name="change_followers",
    ),
    path("lots/", views.lots, name="lots"),
    path("lots/<str:code>/", views.lot, name="lot"),
    path("lots/<str:code>/<str:verb>/", views.change_lot, name="change_lot"),
    path("bins/", views.bins, name="bins"),
    path("bins/new/", views.edit_bin, name="new_bin"),
    path("bins/<str:node>/<str:code>/", views.bin_page, name="bin"),
    path("bins/<str:node>/<str:code>/edit/", views.edit_bin, name="edit_bin"),
    path("bins/<str:node>/<str:code>/move/", views.move_out_of_bin, name="move_out_of_bin"),
    path("put-away/", views.put_away, name="put_away"),
    path("put-away/accept/", views.accept_put_away, name="accept_put_away"),
    path("put-away/bring-down/", views.bring_down, name="bring_down"),
    path("serials/", views.serials, name="serials"),
    path("serials/<path:number>/", views.serial, name="serial"),
    path("substitutes/", views.substitutes, name="substitutes"),
    path("substitutes/<int:pair_id>/drop/", views.drop_pair, name="drop_pair"),
    path("allocation/", views.allocation, name="allocation"),
    path("allocation/<int:run_id>/", views.run, name="run"),
]
