"""Balances change in place all day: leave room on their pages, and number the cartons."""

from django.db import migrations

HOT = ("inventory_stock", "inventory_productcost", "inventory_reservation", "inventory_shipment")


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE inventory_carton_serial", "DROP SEQUENCE inventory_carton_serial"
        ),
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} SET (fillfactor = 60)",
                f"ALTER TABLE {table} RESET (fillfactor)",
            )
            for table in HOT
        ),
    ]
