"""Answers that are not JSON."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from erp.api.renderers import dumped


class PdfRenderer(BaseRenderer):
    """A PDF as it is; a problem instead of one stays JSON."""

    media_type = "application/pdf"
    format = "pdf"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return data if isinstance(data, bytes) else dumped(data)


class ZplRenderer(PdfRenderer):
    """A printer's job as it is."""

    media_type = "application/zpl"
    format = "zpl"
